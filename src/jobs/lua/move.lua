-- With: jobs/shard, jobs/leases, jobs/entries, jobs/attempts, jobs/moves, jobs/list-entries, jobs/relisting
-- Moves running jobs on: `queued` at the next target (hop + 1) or in their own queue again (same hop,
-- generation + 1) when their worker stops, `parked` while no target can serve them. The schedule keeps their
-- doorbells until a sweeper rings them. Fenced: a worker whose job was given to another moves nothing. All
-- records are of one shard.
-- KEYS: schedule
-- Packed: for each job {id, token, state, hop, generation, target, spent, resumes at, doorbell due at,
--   attempts, note, what it waits for ('' for nothing)}
-- Replies: for each 1, or 0 when the token no longer holds the job.
local schedule = KEYS[1]
local leases, doorbells = {}, {}

local function move(id, token, state, hop, generation, target, spent, resumes, due, attempts, note, why)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'holder', 'tenant', 'spec', 'target', 'indexed')
  if r[1] ~= 'running' or not holds(token, r[2]) then return 0 end
  redis.call('HSET', record, 'state', state, 'hop', hop, 'generation', generation, 'target', target, 'spent', spent, 'resumes', resumes)
  redis.call('HDEL', record, 'holder')
  log_attempts(record, attempts)
  note_move(record, note)
  if why ~= '' then redis.call('HSET', record, 'why', why) end
  local was = list_entry(id, r[3], r[4], r[5], '', r[6])
  relist(id, was, list_entry(id, r[3], r[4], target, is_parked(state), r[6]))
  leases[#leases + 1] = lease_of(id)
  doorbells[#doorbells + 1], doorbells[#doorbells + 2] = due, id .. '.' .. hop .. '.' .. generation
  return 1
end

local replies = {}
for i, job in ipairs(packed()) do replies[i] = move(unpack(job)) end
if #leases > 0 then
  redis.call('ZREM', schedule, unpack(leases))
  redis.call('ZADD', schedule, unpack(doorbells))
end
return cmsgpack.pack(replies)
