-- Workers answer doorbells. Only the doorbell that a record waits for gets its job. All records of one shard.
-- KEYS: for each doorbell: record, payload
-- ARGV: now, then for each doorbell: hop, ring, token, redelivered (1 or 0)
-- Replies for each {'ok', endpoint, model, target, expires, spent, attempts, body}, or {reason}: gone, stale, busy or
-- a final state.
local now = ARGV[1]

local function claim(record, payload, hop, ring, token, redelivered)
  local r = redis.call('HMGET', record, 'state', 'hop', 'ring', 'token', 'run', 'target', 'endpoint', 'model', 'expires',
    'spent', 'attempts', 'started', 'request')
  local state, spent, attempts = r[1], r[10] or '0', r[11] or ''
  if not state then return { 'gone' } end
  if FINAL[state] then return { state } end
  if (r[2] or '0') ~= hop or (r[3] or '0') ~= ring then return { 'stale' } end
  if state == 'running' and r[4] ~= token then
    -- BullMQ gives a doorbell out again only when its holder's lock ran out. Any other second doorbell is a
    -- duplicate of one that is being answered, and must not cause a second call.
    if redelivered ~= '1' then return { 'busy' } end
    log_interrupted(record, hop, r[6], tonumber(r[5]), nil, 'worker_lost')
    spent = redis.call('HINCRBY', record, 'spent', 1)
    attempts = redis.call('HGET', record, 'attempts')
  end
  redis.call('HSET', record, 'state', 'running', 'token', token, 'run', now, 'started', r[12] or now)
  return { 'ok', r[7], r[8], r[6], r[9], tostring(spent), attempts, r[13] or redis.call('GET', payload) }
end

local replies = {}
for i = 1, #KEYS / 2 do
  replies[i] = claim(KEYS[2 * i - 1], KEYS[2 * i], unpack(ARGV, 4 * i - 2, 4 * i + 1))
end
return replies
