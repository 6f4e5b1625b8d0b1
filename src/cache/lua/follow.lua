-- With: cache/prelude
-- Has a parked job woken when the leader has ended, or has begun a stream that the job may read.
-- KEYS: those of prelude.lua
-- ARGV: job, its doorbell, ms to keep it for, the form of the stream that it may read ('' for none), the run whose
--   stream it does not read ('' for none)
-- Replies: 1, or 0 when there is no leader that would wake it, or the answer or such a stream is here.
if redis.call('EXISTS', LEAD) == 0 or redis.call('EXISTS', ANSWER) == 1 then return 0 end
local job, doorbell, ttl, form, known = unpack(ARGV)
local run, own_form = redis.call('GET', LEAD):match('^%S+ (%S+) (%S+)$')
if run and run ~= known and own_form == form then return 0 end
redis.call('HSET', FOLLOWERS, job, form == '' and doorbell or doorbell .. ' ' .. form)
redis.call('PEXPIRE', FOLLOWERS, ttl)
return 1
