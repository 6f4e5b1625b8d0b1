-- With: webhooks/owed
-- Ends a batch: every line is in the output files, or its input was found to be wrong. Makes its output files
-- visible, lets go of its input, and owes its webhook. Fenced.
-- KEYS: batch, open batches, finished lines, schedule, purge, input file, then for output and error file:
--   file, segments
-- ARGV: id, token, now, faults as JSON ('' for none), retention ms, input is a file (1 or 0), when a sweeper
--   rings the webhook, then for each of the two files: id, expires at, number of fields and values (0 for a
--   file without lines), field, value …
-- Replies: the status it ended in, 'lost', or 'changed' when lines are still missing.
local batch, id, now = KEYS[1], ARGV[1], ARGV[3]
local r = redis.call('HMGET', batch, 'lease', 'status', 'total', 'fed', 'expired', 'webhook', 'succeeded', 'errored', 'canceled')
local lease, status, total, fed, lines_expired, webhook, succeeded, errored, canceled = unpack(r, 1, 9)
if lease ~= ARGV[2] then return 'lost' end
if ARGV[4] ~= '' then
  redis.call('HSET', batch, 'faults', ARGV[4])
  status = status == 'cancelling' and 'cancelled' or 'failed'
else
  local collected = (lines_expired or 0) + (succeeded or 0) + (errored or 0) + (canceled or 0)
  if not total or (fed or '0') ~= total or collected ~= tonumber(total) then return 'changed' end
  local expired = tonumber(lines_expired or 0) > 0
  status = status == 'cancelling' and 'cancelled' or expired and 'expired' or 'completed'
end
redis.call('HSET', batch, 'status', status, 'ended_at', now)
redis.call('HDEL', batch, 'lease', 'lease_until', 'collection')
redis.call('ZREM', KEYS[2], id)
redis.call('DEL', KEYS[3])

local a = 8
for k = 7, 9, 2 do
  local file, expires, length = ARGV[a], ARGV[a + 1], tonumber(ARGV[a + 2])
  if length > 0 then redis.call('HSET', KEYS[k], unpack(ARGV, a + 3, a + 2 + length)) end
  -- A feeder that died may have written for a file without lines too.
  redis.call('ZADD', KEYS[5], expires, file)
  a = a + 3 + length
end
if ARGV[6] == '1' and redis.call('EXISTS', KEYS[6]) == 1 then redis.call('HINCRBY', KEYS[6], 'refs', -1) end

if webhook then
  -- No expiry while a delivery is due: retries may last longer than the retention.
  redis.call('HSET', batch, 'delivery', 'pending')
  redis.call('ZADD', KEYS[4], ARGV[7], id .. '.w.0')
  owe_announcement(id, now)
else
  redis.call('PEXPIRE', batch, ARGV[5])
end
return status
