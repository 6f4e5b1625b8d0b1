-- Writes a new upload, and when to purge it and its parts if it becomes no file.
-- KEYS: upload, purge
-- ARGV: id, purge at, field, value …
-- Replies: nothing.
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
