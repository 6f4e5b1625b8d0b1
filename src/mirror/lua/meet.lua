-- Keeps one side of a comparison with its sample, and gives the other: the side that comes second compares.
-- KEYS: the sample's record
-- ARGV: side, what is known of it, the other side
-- Replies: the other side, or nil when it is not known yet or the sample is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return false end -- a sample that is gone must not come back
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGET', KEYS[1], ARGV[3])
