-- With: jobs/shard
-- Counts the jobs among these that a worker has.
-- KEYS: batch
-- Packed: job id …
-- Replies: {how many, bytes of their requests}
local count, bytes = 0, 0
for _, id in ipairs(packed()) do
  local r = redis.call('HMGET', record_of(id), 'state', 'bytes')
  if r[1] == 'running' then count, bytes = count + 1, bytes + tonumber(r[2] or 0) end
end
return cmsgpack.pack({ count, bytes })
