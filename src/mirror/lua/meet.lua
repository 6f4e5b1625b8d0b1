-- Keeps one side of a comparison with its sample, and gives the other: whoever comes second compares.
-- KEYS: the sample's record   ARGV: side, what is known of it, the other side
if redis.call('EXISTS', KEYS[1]) == 0 then return false end -- nothing may be left behind of one that is gone
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGET', KEYS[1], ARGV[3])
