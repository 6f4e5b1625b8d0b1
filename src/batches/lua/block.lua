-- Notes that a batch cannot go on before a person acts, or that it goes on. Each new block owes its webhook a
-- notice, which is a record of its own: the webhook of the batch's end must not wait for it. Fenced.
-- KEYS: batch, schedule
-- ARGV: token, what blocks it as JSON ('' for nothing), the batch's id, now
-- Replies: 'blocked', 'free' or 'lost'.
local r = redis.call('HMGET', KEYS[1], 'lease', 'blocked', 'webhook', 'tenant')
if r[1] ~= ARGV[1] then return 'lost' end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], 'blocked')
  return 'free'
end
if r[2] then return 'blocked' end
local count = redis.call('HINCRBY', KEYS[1], 'blockings', 1)
redis.call('HSET', KEYS[1], 'blocked', ARGV[2])
if r[3] then
  local notice = ARGV[3] .. '-' .. count
  local record = BASE .. 'bn:' .. KEYS[1]:sub(-26) .. '-' .. count
  redis.call('HSET', record, 'id', notice, 'tenant', r[4], 'webhook', r[3], 'blocked', ARGV[2], 'delivery', 'pending',
    'delivery_due', ARGV[4])
  redis.call('ZADD', KEYS[2], ARGV[4], notice .. '.w.0')
  owe_announcement(notice, ARGV[4])
end
return 'blocked'
