-- Notes whose file is about to be written, and when what no record follows is to be removed.
-- KEYS: record, purge   ARGV: id, tenant, until
redis.call('HSET', KEYS[1], 'tenant', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
