-- Notes whose file is about to be written, and when to purge its bytes if no record follows.
-- KEYS: record, purge
-- ARGV: id, tenant, until
-- Replies: nothing.
redis.call('HSET', KEYS[1], 'tenant', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
