-- Writes a new upload, and when it and its parts are to be removed should no file become of it.
-- KEYS: upload, purge   ARGV: id, purge at, then field and value each
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
