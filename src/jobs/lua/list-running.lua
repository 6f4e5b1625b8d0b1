-- With: jobs/shard, jobs/route-like
-- Goes over leases of a shard for the jobs that run, which are few among those without an end. Lines of batches have
-- leases, too, and are in no list of jobs.
-- KEYS: schedule
-- Packed: first time, last time, entries of the first time that are passed over, most entries, tenant (false for any), route,
--   provider ('' for any), {pairs of metadata …}
-- Replies: {the last time ('' when there are no more), entries of that time, {id …}}, without their prefix
local from, to, passed, most, tenant, route, provider, pairs_of_records = unpack(packed())
local is_wanted = route_like(route)
local found, byte, lease = {}, string.byte, ('l'):byte()

local function matches(record)
  local r = redis.call('HMGET', record, 'state', 'custom_id', 'tenant', 'spec', 'target', 'metadata')
  if r[1] ~= 'running' or r[2] then return false end
  if tenant and (r[3] or 'default') ~= tenant then return false end
  if route ~= '' and not is_wanted(r[4]:match('^%S+ %S+ %S+ (.*)')) then return false end
  if provider ~= '' and r[5]:sub(1, #provider + 1) ~= provider .. '/' then return false end
  for _, pair in ipairs(pairs_of_records) do if not r[6] or not r[6]:find(pair, 1, true) then return false end end
  return true
end

local entries = redis.call('ZRANGE', KEYS[1], from, to, 'BYSCORE', 'LIMIT', passed, most, 'WITHSCORES')
for i = 1, #entries, 2 do
  local entry = entries[i]
  if #entry == 32 and byte(entry, 32) == lease and entry:sub(1, 4) == 'job_' then
    local id = entry:sub(1, 30)
    if matches(record_of(id)) then found[#found + 1] = id:sub(5) end
  end
end
local last, of_last = entries[#entries], 0
if #entries < 2 * most then return cmsgpack.pack({ '', 0, found }) end
for i = #entries, 2, -2 do
  if entries[i] ~= last then break end
  of_last = of_last + 1
end
return cmsgpack.pack({ last, of_last, found })
