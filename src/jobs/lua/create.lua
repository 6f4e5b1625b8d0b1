-- With: jobs/shard, jobs/bodies, jobs/leases, jobs/entries, jobs/lives, jobs/enlisting, jobs/pairs
-- Writes new jobs together with what will wake them: the doorbells they are owed, or the leases of the workers
-- that run them from the beginning. So no job is left without one. All are of one shard.
-- KEYS: schedule
-- `MAKES_NONE` is put before it: whether it only finds those that exist, because Redis is full.
-- Packed: doorbells due, now, then for each job {id, long body ('' where the record has
--   it, true where it was written before), idempotency key ('' for none), fingerprint, ttl of the key in ms,
--   expiry timer at (0: none), the run that has it at once ('' for none), length of its lease in ms, its entry of
--   a list, field, value …}
-- Replies: for each 'created', 'claimed' when the run has it, 'conflict', 'full', 'no_body' when the long body is
--   gone, or the id of the job that the key named first.
local jobs = packed()
local due, replies, seal = jobs[1], {}, nil
local function lease_end(lease) return later_time(jobs[2]) + lease end

-- The job is there when a lost reply made the client library send this again. The run may have lost it since.
local function made_before(record, run)
  if run == '' then return 'created' end
  local r = redis.call('HMGET', record, 'state', 'holder')
  return r[1] == 'running' and holds(run, r[2]) and 'claimed' or 'created'
end

local function create(job)
  local id, body, key, fingerprint, ttl, timer, run, lease, entry = unpack(job, 1, 9)
  local record = record_of(id)
  local idempotency = key ~= '' and BASE .. 'i:' .. key
  local first = idempotency and redis.call('GET', idempotency)
  if first then
    local first_id, first_fingerprint = first:match('^(%S+) (%S+)$')
    if first_fingerprint ~= fingerprint then return 'conflict' end
    return first_id == id and made_before(record, run) or first_id
  end
  if redis.call('EXISTS', record) == 1 then return made_before(record, run) end
  if MAKES_NONE then return 'full' end
  if lacks_body(id, body) then return 'no_body' end
  redis.call('HSET', record, unpack(job, 10))
  keep_body(id, body)
  if run == '' then redis.call('ZADD', KEYS[1], due, id .. '.0.0') else redis.call('ZADD', KEYS[1], lease_end(lease), lease_of(id)) end
  if timer ~= '0' then redis.call('ZADD', KEYS[1], timer, id .. '.x') end
  redis.call('XADD', BASE .. 'index', '*', 'j', id)
  note_life(id, 1)
  enlist('queued', entry)
  local tenant, indexed = entry:match('^\n([^\n]*)\n[^\n]*\n[^\n]*\n[^\n]*\n(.*)$', 27)
  note_pairs(id:sub(5), tenant, indexed)
  seal = entry:match('\n(#%x+)\n$') or ''
  if idempotency then redis.call('SET', idempotency, id .. ' ' .. fingerprint, 'PX', ttl) end
  return run == '' and 'created' or 'claimed'
end

for i = 3, #jobs do replies[i - 2] = create(jobs[i]) end
write_lives()
write_lists()
write_pairs()
if seal then break_other_seals(seal) end
return cmsgpack.pack(replies)
