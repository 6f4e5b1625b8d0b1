-- With: jobs/shard, jobs/leases, jobs/entries, jobs/final, jobs/list-entries, jobs/relisting
-- Gives jobs to the workers that answer their doorbells. A doorbell gets its job only when the record waits
-- for that very one, so that duplicates and late doorbells cause no second call. All records are of one
-- shard.
-- KEYS: schedule
-- Packed: now, length of a lease in ms, that of a streamed job, bytes of the longest body to reply, of which several are
--   replied together, then for each doorbell {id, hop, generation, token}
-- Replies: for each {'ok', target, spec, spent, attempts, body, tenant, headers, class, home,
--   priority, tokens, custom_id, urgent, stream, trace, restarts}, with the
--   length of the body in place of a longer one and false for fields that have their default, or {reason}:
--   'gone', 'stale', 'busy' or the job's final state.
local doorbells = packed()
local now, from, most_bytes, leases = doorbells[1], later_time(doorbells[1]), tonumber(doorbells[4]), {}

-- The worker reads a longer body by itself, and one for which those before left no room.
local left = 4 * most_bytes
local function body_of(id)
  local length = redis.call('STRLEN', payload_of(id))
  if length > most_bytes or length > left then return length end
  left = left - length
  return redis.call('GET', payload_of(id))
end

local function claim(id, hop, generation, token)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'hop', 'generation', 'holder', 'target', 'spec', 'spent', 'attempts',
    'request', 'tenant', 'headers', 'class', 'home', 'priority', 'tokens', 'custom_id', 'urgent', 'stream', 'trace',
    'restarts')
  local state, own_hop, own_generation, holder, target, spec, spent, attempts, request = unpack(r, 1, 9)
  if not state then return { 'gone' } end
  if FINAL[state] then return { state } end
  if (own_hop or '0') ~= hop or (own_generation or '0') ~= generation then return { 'stale' } end
  -- A duplicate of a doorbell that is being answered must not cause a second call. When the worker is gone,
  -- its lease runs out, and the job gets a doorbell of another generation.
  if state == 'running' and not holds(token, holder) then return { 'busy' } end
  redis.call('HSET', record, 'state', 'running', 'holder', now .. ' ' .. token)
  if state == 'parked' then
    local tenant, indexed = r[10], redis.call('HGET', record, 'indexed')
    relist(id, list_entry(id, tenant, spec, target, 'parked', indexed), list_entry(id, tenant, spec, target, '', indexed))
  end
  leases[#leases + 1], leases[#leases + 2] = from + doorbells[r[18] and 3 or 2], lease_of(id)
  return { 'ok', target, spec, spent or '0', attempts or '', request or body_of(id), unpack(r, 10, 20) }
end

local replies = {}
for i = 5, #doorbells do replies[i - 4] = claim(unpack(doorbells[i])) end
if #leases > 0 then redis.call('ZADD', KEYS[1], unpack(leases)) end
return cmsgpack.pack(replies)
