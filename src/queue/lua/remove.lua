-- With: queue/prelude
-- Takes doorbells out of a ready list that lead nowhere any more.
-- KEYS: ready list
-- Packed: for each {class, tenant, entry}
-- Replies: {entries that waited}
local gone = 0
for _, item in ipairs(packed()) do
  local class, tenant, entry = unpack(item)
  if redis.call('ZREM', entries_of(class, tenant), entry) == 1 then
    gone = gone + 1
    redis.call('HINCRBY', READY, 'waiting:' .. class, -1)
    retire_if_empty(class, tenant, redis.call('ZSCORE', tenants_of(class), tenant))
  end
end
return cmsgpack.pack({ gone })
