-- Workers answer doorbells. Only the doorbell that a record waits for gets its job. All records of one shard.
-- KEYS: schedule
-- Takes: now, length of a lease in ms, bytes of the longest body that is given, then for each doorbell {id, hop, generation, token}
-- Gives for each {'ok', target, spec, spent, attempts, body, tenant, headers, class, home} with the body's length in place of a longer one, with false for the default ones, or {reason}: gone, stale, busy or a final state.
local doorbells = packed()
local now, till, leases = doorbells[1], later_time(doorbells[1]) + doorbells[2], {}

-- A longer one its worker reads by itself.
local function body_of(id)
  local length = redis.call('STRLEN', payload_of(id))
  return length > tonumber(doorbells[3]) and length or redis.call('GET', payload_of(id))
end

local function claim(id, hop, generation, token)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'hop', 'generation', 'holder', 'target', 'spec', 'spent', 'attempts',
    'request', 'tenant', 'headers', 'class', 'home')
  local state = r[1]
  if not state then return { 'gone' } end
  if FINAL[state] then return { state } end
  if (r[2] or '0') ~= hop or (r[3] or '0') ~= generation then return { 'stale' } end
  -- A duplicate of a doorbell that is being answered must not cause a second call. Of a worker that is gone, the lease
  -- tells: then the job gets a doorbell of another name.
  if state == 'running' and not holds(token, r[4]) then return { 'busy' } end
  redis.call('HSET', record, 'state', 'running', 'holder', now .. ' ' .. token)
  leases[#leases + 1], leases[#leases + 2] = till, lease_of(id)
  return { 'ok', r[5], r[6], r[7] or '0', r[8] or '', r[9] or body_of(id), r[10], r[11], r[12], r[13] }
end

local replies = {}
for i = 4, #doorbells do replies[i - 3] = claim(unpack(doorbells[i])) end
if #leases > 0 then redis.call('ZADD', KEYS[1], unpack(leases)) end
return cmsgpack.pack(replies)
