-- Writes new jobs with the doorbells they are owed, all of one shard, in one step.
-- KEYS: agenda, index, then for each job: record, payload, idempotency
-- ARGV: due, then for each job: id, body ('' where a field has it), fingerprint ('' without a key), ttl ms of the key, expiry timer at (0: none),
--       number of words, field, value …
-- Replies for each job: 'created', 'conflict', or the id of the job that the key named first.
local due, replies, k, a = ARGV[1], {}, 3, 2
while k <= #KEYS do
  local record, payload, idempotency = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local id, body, fingerprint, ttl, timer, words = unpack(ARGV, a, a + 5)
  local first = fingerprint ~= '' and redis.call('GET', idempotency)
  local reply = 'created'
  if first then
    local first_id, first_fingerprint = first:match('^(%S+) (%S+)$')
    reply = first_fingerprint == fingerprint and first_id or 'conflict'
  elseif redis.call('EXISTS', record) == 0 then -- it exists when a lost reply made the client library send this again
    redis.call('HSET', record, unpack(ARGV, a + 6, a + 5 + words))
    if body ~= '' then redis.call('SET', payload, body) end
    redis.call('ZADD', KEYS[1], due, id .. '.0.0')
    if timer ~= '0' then redis.call('ZADD', KEYS[1], timer, id .. '.x') end
    redis.call('XADD', KEYS[2], '*', 'j', id)
    if fingerprint ~= '' then redis.call('SET', idempotency, id .. ' ' .. fingerprint, 'PX', ttl) end
  end
  if reply == id then reply = 'created' end
  replies[#replies + 1] = reply
  k, a = k + 3, a + 6 + words
end
return replies
