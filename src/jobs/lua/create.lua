-- Writes new jobs together with the doorbells they are owed, so that no job is left without one. All are of
-- one shard.
-- KEYS: schedule
-- Packed: due, then for each job {id, long body ('' where the record has it, true where it was written
--   before), idempotency key ('' for none), fingerprint, ttl of the key in ms, expiry timer at (0: none),
--   field, value …}
-- Replies: for each 'created', 'conflict', 'full', 'no_body' when the long body is gone, or the id of the job
--   that the key named first.
local jobs = packed()
local due, replies = jobs[1], {}

local function create(job)
  local id, body, key, fingerprint, ttl, timer = unpack(job, 1, 6)
  local record = record_of(id)
  local idempotency = key ~= '' and BASE .. 'i:' .. key
  local first = idempotency and redis.call('GET', idempotency)
  if first then
    local first_id, first_fingerprint = first:match('^(%S+) (%S+)$')
    if first_fingerprint ~= fingerprint then return 'conflict' end
    return first_id == id and 'created' or first_id
  end
  -- The record exists when a lost reply made the client library send this again.
  if redis.call('EXISTS', record) == 1 then return 'created' end
  if MAKES_NONE then return 'full' end
  if lacks_body(id, body) then return 'no_body' end
  redis.call('HSET', record, unpack(job, 7))
  keep_body(id, body)
  redis.call('ZADD', KEYS[1], due, id .. '.0.0')
  if timer ~= '0' then redis.call('ZADD', KEYS[1], timer, id .. '.x') end
  redis.call('XADD', BASE .. 'index', '*', 'j', id)
  note_life(id, 1)
  if idempotency then redis.call('SET', idempotency, id .. ' ' .. fingerprint, 'PX', ttl) end
  return 'created'
end

for i = 2, #jobs do replies[i - 1] = create(jobs[i]) end
write_lives()
return cmsgpack.pack(replies)
