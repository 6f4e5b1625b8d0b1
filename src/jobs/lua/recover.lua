-- Puts back the doorbell of a live job that nothing would wake, or whose worker is silent.
-- KEYS: record, schedule
-- ARGV: id, hop, generation, now, until when a sweeper took the lease's entry (0: it did not), how far ahead
--   of Redis's own clock now is
-- Replies: 1, or 0 when the job moved on in the meantime.
local record = KEYS[1]
local r = redis.call('HMGET', record, 'state', 'hop', 'generation', 'holder', 'target', 'resumes')
local hop, generation = r[2] or '0', r[3] or '0'
if not r[1] or FINAL[r[1]] or hop ~= ARGV[2] or generation ~= ARGV[3] then return 0 end
local due = ARGV[4]
if r[1] == 'running' then
  -- A lease that was renewed since the look shows that the worker is slow, not silent. A sweeper's own take
  -- has moved the lease, too.
  local lease = tonumber(redis.call('ZSCORE', KEYS[2], lease_of(ARGV[1])) or 0)
  if lease > earlier_time(ARGV[4], ARGV[6]) and lease ~= tonumber(ARGV[5]) then return 0 end
  log_interrupted(record, hop, r[5], r[4], nil, is_alone(r[4]) and 'worker_crashed' or 'worker_lost')
  generation = tostring(tonumber(generation) + 1)
  redis.call('HSET', record, 'state', 'queued', 'generation', generation, 'resumes', due)
  redis.call('HDEL', record, 'holder')
  redis.call('ZREM', KEYS[2], lease_of(ARGV[1]))
elseif r[1] == 'parked' then
  due = r[6]
end
redis.call('ZADD', KEYS[2], 'NX', due, ARGV[1] .. '.' .. hop .. '.' .. generation)
return 1
