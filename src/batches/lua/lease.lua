-- Gives, renews or ends the lease of a batch, so that one feeder at a time drives it. The lease's token
-- fences what the feeder does: one that was taken for dead and comes back changes nothing.
-- KEYS: batch, open batches
-- ARGV: id, token, 'take', 'renew' or 'release', now, held until (release: when another feeder may take it)
-- Replies: the batch's status, or 'lost' when another holds the lease or the batch is not open.
local batch, open = KEYS[1], KEYS[2]
local id, token, action, now, until_ms = unpack(ARGV)
local r = redis.call('HMGET', batch, 'status', 'lease', 'lease_until', 'ended_at')
if not r[1] or r[4] then
  redis.call('ZREM', open, id)
  return 'lost'
end
local mine = r[2] == token
if action == 'take' then
  if not mine and r[2] and tonumber(r[3]) > tonumber(now) then return 'lost' end
elseif not mine then
  return 'lost'
end
if action == 'release' then
  redis.call('HDEL', batch, 'lease', 'lease_until')
else
  redis.call('HSET', batch, 'lease', token, 'lease_until', until_ms)
end
redis.call('ZADD', open, until_ms, id)
return r[1]
