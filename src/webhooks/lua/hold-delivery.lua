-- With: jobs/shard
-- Gives back taken deliveries whose receiver has no free slot: their doorbells are rung again later, and no
-- attempt counts. All records are of one shard.
-- KEYS: schedule
-- Packed: now, then for each {record, id, attempt, due at}
-- Replies: for each 1, or 0 when the record no longer waits for that attempt.
local holds = packed()
local now = holds[1]
local replies = {}

local function hold(record, id, attempt, due)
  local r = redis.call('HMGET', record, 'delivery', 'deliveries')
  if r[1] ~= 'pending' or (r[2] or '0') ~= attempt then return 0 end
  -- `held` is since when this attempt is held, however often it comes back.
  redis.call('HSETNX', record, 'held', now)
  redis.call('HSET', record, 'delivery_due', due)
  local doorbell = id .. '.w.' .. attempt
  redis.call('ZADD', KEYS[1], due, doorbell)
  redis.call('ZREM', KEYS[1], doorbell .. '.l')
  return 1
end

for i = 2, #holds do replies[i - 1] = hold(unpack(holds[i])) end
return cmsgpack.pack(replies)
