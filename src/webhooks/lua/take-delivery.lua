-- With: jobs/shard
-- Gives webhooks to the workers that answer their doorbells, with a lease. A doorbell gets its record only
-- when the record waits for that very attempt. All records are of one shard.
-- KEYS: schedule
-- Packed: now, leased until, then for each doorbell {record, id, attempt}
-- Replies: for each the record's fields and values in turn, or false when it does not wait for that attempt,
--   or another worker delivers it.
local doorbells = packed()
local now, till = tonumber(doorbells[1]), tonumber(doorbells[2])
local leases, taken = {}, {}

local function take(record, id, attempt)
  local r = redis.call('HMGET', record, 'delivery', 'deliveries')
  if r[1] ~= 'pending' or (r[2] or '0') ~= attempt then return false end
  local lease = id .. '.w.' .. attempt .. '.l'
  -- A duplicate of a doorbell that is being answered must not cause a second delivery. A script that is sent
  -- again finds the very lease that it took.
  local held = tonumber(redis.call('ZSCORE', KEYS[1], lease) or 0)
  if taken[lease] or (held > now and held ~= till) then return false end
  taken[lease] = true
  leases[#leases + 1], leases[#leases + 2] = till, lease
  return redis.call('HGETALL', record)
end

local replies = {}
for i = 3, #doorbells do replies[i - 2] = take(unpack(doorbells[i])) end
if #leases > 0 then redis.call('ZADD', KEYS[1], unpack(leases)) end
return cmsgpack.pack(replies)
