-- With: jobs/leases, jobs/attempts
-- Logs the failed calls of a job that its worker is about to call again. Fenced.
-- KEYS: record
-- ARGV: token, when the next call begins, spent, attempts
-- Replies: 1, also when it is sent again after its reply was lost, or 0 when the token no longer holds the
--   job.
local r = redis.call('HMGET', KEYS[1], 'state', 'holder')
if r[1] ~= 'running' or not holds(ARGV[1], r[2]) then return 0 end
-- Each call of a run begins at a time of its own: with the same time, this retry has been logged.
local holder = ARGV[2] .. (is_alone(r[2]) and ' alone ' or ' ') .. ARGV[1]
if r[2] == holder then return 1 end
redis.call('HSET', KEYS[1], 'holder', holder, 'spent', ARGV[3])
log_attempts(KEYS[1], ARGV[4])
return 1
