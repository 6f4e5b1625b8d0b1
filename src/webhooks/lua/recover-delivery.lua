-- Puts back the doorbell of a webhook that is due and that no worker delivers. It counts as due now.
-- KEYS: record, schedule
-- ARGV: id, attempt, now
-- Replies: 1, or 0 when the record no longer waits for that attempt, or a worker delivers it.
local r = redis.call('HMGET', KEYS[1], 'delivery', 'deliveries')
if r[1] ~= 'pending' or (r[2] or '0') ~= ARGV[2] then return 0 end
local doorbell = ARGV[1] .. '.w.' .. ARGV[2]
if redis.call('ZSCORE', KEYS[2], doorbell .. '.l') then return 0 end
redis.call('HSET', KEYS[1], 'delivery_due', ARGV[3])
redis.call('ZADD', KEYS[2], 'NX', ARGV[3], doorbell)
return 1
