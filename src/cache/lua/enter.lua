-- With: cache/prelude
-- Decides what a job does about its request: take the kept answer, lead, follow the leader, or call alone.
-- KEYS: those of prelude.lua
-- ARGV: job, lease ms, failures after which no job follows
-- Replies: {'hit', answer}, {'lead'}, {'follow', ms for which the lead is held, the lead}, or {'alone'}.
local answer = redis.call('GET', ANSWER)
if answer then return { 'hit', answer } end
-- Behind leaders that fail one after the other, the last in line would wait for ever.
if tonumber(redis.call('GET', FAILURES) or '0') >= tonumber(ARGV[3]) then return { 'alone' } end
local lead = redis.call('GET', LEAD)
if lead and leader() ~= ARGV[1] then return { 'follow', redis.call('PTTL', LEAD), lead } end
redis.call('SET', LEAD, ARGV[1], 'PX', ARGV[2])
return { 'lead' }
