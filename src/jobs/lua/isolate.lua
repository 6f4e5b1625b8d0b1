-- With: jobs/leases
-- Notes that a worker runs this job and nothing beside it: if the worker is lost now, it is lost with this
-- job. Fenced.
-- KEYS: record
-- ARGV: token, when the next call begins
-- Replies: 1, or 0 when the token no longer holds the job.
local r = redis.call('HMGET', KEYS[1], 'state', 'holder')
if r[1] ~= 'running' or not holds(ARGV[1], r[2]) then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[2] .. ' alone ' .. ARGV[1])
return 1
