-- With: jobs/leases
-- Notes that a worker waits to run this job and nothing beside it, or does so from now on: if it is lost then, it is lost by this
-- job, and before by others. Fenced.
-- KEYS: record
-- ARGV: token, when the next call begins, 'waits' or 'alone'
-- Replies: 1, or 0 when the token no longer holds the job.
local r = redis.call('HMGET', KEYS[1], 'state', 'holder')
if r[1] ~= 'running' or not holds(ARGV[1], r[2]) then return 0 end
redis.call('HSET', KEYS[1], 'holder', table.concat({ ARGV[2], ARGV[3], ARGV[1] }, ' '))
return 1
