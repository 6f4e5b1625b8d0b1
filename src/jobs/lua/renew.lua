-- With: jobs/shard, jobs/leases, jobs/entries
-- Renews the leases of jobs that workers still run. All records are of one shard.
-- KEYS: schedule
-- Packed: now, then for each job {id, token, length of its lease in ms}
-- Replies: for each 1, or 0 when the token no longer holds the job.
local jobs = packed()
local from = later_time(jobs[1])
local leases, replies = {}, {}
for i = 2, #jobs do
  local id, token, lease = unpack(jobs[i])
  local r = redis.call('HMGET', record_of(id), 'state', 'holder')
  local held = r[1] == 'running' and holds(token, r[2])
  if held then leases[#leases + 1], leases[#leases + 2] = from + lease, lease_of(id) end
  replies[i - 1] = held and 1 or 0
end
if #leases > 0 then redis.call('ZADD', KEYS[1], unpack(leases)) end
return cmsgpack.pack(replies)
