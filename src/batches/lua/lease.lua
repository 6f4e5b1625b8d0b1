-- One feeder at a time drives a batch: whoever holds the lease. What it does is fenced by the lease's token, so one that
-- was taken for dead and comes back changes nothing.
-- KEYS: batch, open batches
-- ARGV: id, token, 'take', 'renew' or 'release', now, held until (release: when somebody may take it up)
-- Replies the batch's status, or 'lost' when the lease is another's or the batch is not open.
local batch, open, id, token, action = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local r = redis.call('HMGET', batch, 'status', 'lease', 'lease_until', 'ended_at')
if not r[1] or r[4] then
  redis.call('ZREM', open, id)
  return 'lost'
end
local mine = r[2] == token
if action == 'take' then
  if not mine and r[2] and tonumber(r[3]) > tonumber(ARGV[4]) then return 'lost' end
elseif not mine then
  return 'lost'
end
if action == 'release' then
  redis.call('HDEL', batch, 'lease', 'lease_until')
else
  redis.call('HSET', batch, 'lease', token, 'lease_until', ARGV[5])
end
redis.call('ZADD', open, ARGV[5], id)
return r[1]
