-- Writes the job of a sample, with the doorbell it is owed and its deadline.
-- KEYS: record, payload, schedule
-- ARGV: doorbell, due, deadline's entry, deadline, long body ('' where the record has it, 'apart' where it
--   was written before), field, value …
-- Replies: nothing.
if redis.call('EXISTS', KEYS[1]) == 1 then return end -- a lost reply made the client library send this again
local is_apart = ARGV[5] == 'apart'
-- The body of a sample that came too late is gone, and so is the need for its job.
if is_apart and redis.call('EXISTS', KEYS[2]) == 0 then return end
redis.call('HSET', KEYS[1], unpack(ARGV, 6))
if is_apart then redis.call('PERSIST', KEYS[2]) elseif ARGV[5] ~= '' then redis.call('SET', KEYS[2], ARGV[5]) end
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1], ARGV[4], ARGV[3])
