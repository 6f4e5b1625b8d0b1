-- Forgets a file or an upload whose bytes are removed, or has them removed once more later.
-- KEYS: record, segments or parts, purge
-- ARGV: id, again at (0: never)
-- Replies: nothing of use.
if ARGV[2] ~= '0' then return redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1]) end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
