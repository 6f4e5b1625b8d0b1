-- Prepended to the scripts of ready lists. A ready list and all that belongs to it is in the slot of its
-- queue, and so are BullMQ's own keys.
local READY = KEYS[1]
local QUEUE = READY:match('^.-}:')
local CLASSES = { 'interactive', 'default', 'bulk' }
-- Parts of the calls while all classes wait.
local CLASS_WEIGHT = { interactive = 64, default = 8, bulk = 1 }

local function packed() return cmsgpack.unpack(ARGV[1]) end
-- The tenants of a class that wait, by virtual time; and what waits of one of them, by when it is due.
local function tenants_of(class) return READY .. ':' .. class end
local function entries_of(class, tenant) return READY .. ':' .. class .. ':' .. tenant end

-- BullMQ's workers sleep on this key.
local function ring() redis.call('ZADD', QUEUE .. 'marker', 0, '0') end

-- Who comes (back) to the queue has no claim to what passed meanwhile.
local function activate(class, tenant)
  local tenants = tenants_of(class)
  local clock, own, class_clock, class_own = unpack(redis.call('HMGET', READY, 'clock:' .. class, 'left:' .. class .. ':' .. tenant,
    'clock', 'at:' .. class))
  if redis.call('EXISTS', tenants) == 0 then
    redis.call('HSET', READY, 'at:' .. class, string.format('%.3f', math.max(tonumber(class_clock or 0), tonumber(class_own or 0))))
  end
  if own then redis.call('HDEL', READY, 'left:' .. class .. ':' .. tenant) end
  redis.call('ZADD', tenants, string.format('%.3f', math.max(tonumber(clock or 0), tonumber(own or 0))), tenant)
end

-- `flat` is {due, entry, …}. What waits already stays as it is.
local function insert(class, tenant, flat)
  local new = 0
  for i = 1, #flat, 1000 do
    new = new + redis.call('ZADD', entries_of(class, tenant), 'NX', unpack(flat, i, math.min(i + 999, #flat)))
  end
  if new == 0 then return 0 end
  redis.call('HINCRBY', READY, 'waiting:' .. class, new)
  if not redis.call('ZSCORE', tenants_of(class), tenant) then activate(class, tenant) end
  return new
end

-- `at` is the virtual time at which the tenant leaves, if it must not be lost.
local function retire_if_empty(class, tenant, at)
  if redis.call('EXISTS', entries_of(class, tenant)) == 1 then return false end
  redis.call('ZREM', tenants_of(class), tenant)
  if at then redis.call('HSET', READY, 'left:' .. class .. ':' .. tenant, string.format('%.3f', at)) end
  return true
end

-- Chunks: what workers took and have not claimed yet.
local TAKEN, LEASES = READY .. ':taken', READY .. ':leases'

local function forget_chunks(chunks)
  if #chunks == 0 then return end
  redis.call('HDEL', TAKEN, unpack(chunks))
  redis.call('ZREM', LEASES, unpack(chunks))
end

-- Brings back what silent workers took, each to its old place.
local function bring_back(now)
  local silent = redis.call('ZRANGE', LEASES, '-inf', now, 'BYSCORE', 'LIMIT', 0, 20)
  for _, chunk in ipairs(silent) do
    local text = redis.call('HGET', TAKEN, chunk)
    local items = text and cmsgpack.unpack(text) or {}
    for i = 1, #items, 4 do insert(items[i], items[i + 1], { items[i + 2], items[i + 3] }) end
  end
  forget_chunks(silent)
end
