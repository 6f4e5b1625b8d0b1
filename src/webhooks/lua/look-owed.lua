-- Looks at a webhook of a batch that is owed, and puts it behind all others. One that is no longer owed
-- leaves the set.
-- KEYS: record, owed
-- ARGV: id, now
-- Replies: {its deliveries so far, when it was last due}, or nothing when it is no longer owed.
local r = redis.call('HMGET', KEYS[1], 'delivery', 'deliveries', 'delivery_due', 'ended_at')
if r[1] ~= 'pending' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {}
end
redis.call('ZADD', KEYS[2], 'XX', ARGV[2], ARGV[1])
return { r[2] or '0', r[3] or r[4] or '0' }
