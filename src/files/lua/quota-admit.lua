-- Admits a tenant's batch while the tenant has fewer open ones than it may.
-- KEYS: open batches of the tenant
-- ARGV: id, most
-- Replies: 1, or 0 when the batch is not admitted.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[1])
return 1
