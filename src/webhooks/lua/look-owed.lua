-- Looks at a webhook of a batch that is owed: it is looked at again after all others. One that is owed no more leaves the set.
-- KEYS: record, owed   ARGV: id, now
-- Replies its deliveries so far and when it was last due, or nothing when it is owed no more.
local r = redis.call('HMGET', KEYS[1], 'delivery', 'deliveries', 'delivery_due', 'ended_at')
if r[1] ~= 'pending' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {}
end
redis.call('ZADD', KEYS[2], 'XX', ARGV[2], ARGV[1])
return { r[2] or '0', r[3] or r[4] or '0' }
