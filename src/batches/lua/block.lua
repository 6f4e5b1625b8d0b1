-- With: jobs/shard, webhooks/owed
-- Notes that a batch cannot go on before a person acts, or will not be done in its window; or that this is over. What is new
-- owes its webhook a notice, which is a record of its own: the webhook of the batch's end must not wait for it. Fenced.
-- KEYS: batch, schedule
-- ARGV: token, field ('blocked' or 'warning'), what it holds as JSON ('' for nothing), the batch's id, now
-- Replies: 'noted', 'free' or 'lost'.
local field, what = ARGV[2], ARGV[3]
local r = redis.call('HMGET', KEYS[1], 'lease', field, 'webhook', 'tenant')
if r[1] ~= ARGV[1] then return 'lost' end
if what == '' then
  redis.call('HDEL', KEYS[1], field)
  return 'free'
end
if r[2] then return 'noted' end
local count = redis.call('HINCRBY', KEYS[1], 'blockings', 1)
redis.call('HSET', KEYS[1], field, what)
if r[3] then
  local notice = ARGV[4] .. '-' .. count
  local record = BASE .. 'bn:' .. KEYS[1]:sub(-26) .. '-' .. count
  redis.call('HSET', record, 'id', notice, 'tenant', r[4], 'webhook', r[3], field, what, 'delivery', 'pending',
    'delivery_due', ARGV[5])
  redis.call('ZADD', KEYS[2], ARGV[5], notice .. '.w.0')
  owe_announcement(notice, ARGV[5])
end
return 'noted'
