-- With: jobs/shard, jobs/stream-logs, jobs/leases, jobs/entries, jobs/final, jobs/attempts, jobs/finish
-- Puts back the doorbell of a live job that nothing would wake, or whose worker is silent. A job that has given a
-- part of its answer to readers fails instead, unless they take one that begins anew.
-- KEYS: record, schedule
-- ARGV: id, hop, generation, now, until when a sweeper took the lease's entry (0: it did not), how far ahead
--   of Redis's own clock now is, end JSON of such a failure, retention ms, when a sweeper rings webhooks
-- Replies: 1, 2 when the job failed, 3 when its webhook is owed as well, or 0 when it moved on in the meantime.
local record = KEYS[1]
local id, due, end_json, retention, webhooks_due = ARGV[1], ARGV[4], ARGV[7], ARGV[8], ARGV[9]
local r = redis.call('HMGET', record, 'state', 'hop', 'generation', 'holder', 'target', 'resumes', 'log', 'webhook',
  'restarts', 'spec', 'attempts', 'tenant', 'indexed')
local hop, generation = r[2] or '0', r[3] or '0'
if not r[1] or FINAL[r[1]] or hop ~= ARGV[2] or generation ~= ARGV[3] then return 0 end

local function fail(log, webhook)
  local bill = { due, r[10], r[5], r[11], was = 'running', tenant = r[12], indexed = r[13], code = 'stream_broken' }
  if finish(record, KEYS[2], id, webhook, nil, 'failed', webhooks_due, retention, bill, 'result', end_json) then
    publish_ends(id)
  end
  write_ends()
  expire_log(id, log, retention)
  redis.call('PEXPIRE', payload_of(id), retention)
  redis.call('ZREM', KEYS[2], entries_of(id, hop, generation))
  return webhook and 3 or 2
end

if r[1] == 'running' then
  -- A lease that was renewed since the look shows that the worker is slow, not silent. A sweeper's own take
  -- has moved the lease, too.
  local lease = tonumber(redis.call('ZSCORE', KEYS[2], lease_of(id)) or 0)
  if lease > earlier_time(ARGV[4], ARGV[6]) and lease ~= tonumber(ARGV[5]) then return 0 end
  log_interrupted(record, hop, r[5], r[4], nil, is_alone(r[4]) and 'worker_crashed' or 'worker_lost')
  if r[7] and not r[9] then return fail(r[7], r[8]) end
  generation = tostring(tonumber(generation) + 1)
  redis.call('HSET', record, 'state', 'queued', 'generation', generation, 'resumes', due)
  redis.call('HDEL', record, 'holder')
  redis.call('ZREM', KEYS[2], lease_of(id))
elseif r[1] == 'parked' then
  due = r[6]
end
redis.call('ZADD', KEYS[2], 'NX', due, id .. '.' .. hop .. '.' .. generation)
return 1
