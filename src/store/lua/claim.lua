-- Workers answer doorbells. Only the doorbell that a record waits for gets its job. All records of one shard.
-- KEYS: agenda
-- Takes: now, then for each doorbell {id, hop, ring, token, redelivered}
-- Gives for each {'ok', target, spec, spent, attempts, body}, or {reason}: gone, stale, busy or a final state.
local doorbells = packed()
local now = doorbells[1]

local function claim(id, hop, ring, token, redelivered)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'hop', 'ring', 'run', 'target', 'spec', 'spent', 'attempts',
    'request')
  local state, spent, attempts = r[1], r[7] or '0', r[8] or ''
  if not state then return { 'gone' } end
  if FINAL[state] then return { state } end
  if (r[2] or '0') ~= hop or (r[3] or '0') ~= ring then return { 'stale' } end
  if state == 'running' and not holds(token, r[4]) then
    -- BullMQ gives a doorbell out again only when its holder's lock ran out. Any other second doorbell is a
    -- duplicate of one that is being answered, and must not cause a second call.
    if not redelivered then return { 'busy' } end
    log_interrupted(record, hop, r[5], called_at(r[4]), nil, 'worker_lost')
    spent = redis.call('HINCRBY', record, 'spent', 1)
    attempts = redis.call('HGET', record, 'attempts')
  end
  redis.call('HSET', record, 'state', 'running', 'run', now .. ' ' .. token)
  return { 'ok', r[5], r[6], tostring(spent), attempts, r[9] or redis.call('GET', payload_of(id)) }
end

local replies = {}
for i = 2, #doorbells do replies[i - 1] = claim(unpack(doorbells[i])) end
return cmsgpack.pack(replies)
