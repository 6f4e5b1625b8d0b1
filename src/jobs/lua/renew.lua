-- Renews the leases of jobs that workers still run. All records are of one shard.
-- KEYS: schedule
-- Packed: now, length of a lease in ms, then for each job {id, token}
-- Replies: for each 1, or 0 when the token no longer holds the job.
local jobs = packed()
local till = later_time(jobs[1]) + jobs[2]
local leases, replies = {}, {}
for i = 3, #jobs do
  local id, token = unpack(jobs[i])
  local r = redis.call('HMGET', record_of(id), 'state', 'holder')
  local held = r[1] == 'running' and holds(token, r[2])
  if held then leases[#leases + 1], leases[#leases + 2] = till, lease_of(id) end
  replies[i - 2] = held and 1 or 0
end
if #leases > 0 then redis.call('ZADD', KEYS[1], unpack(leases)) end
return cmsgpack.pack(replies)
