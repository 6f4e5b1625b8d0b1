-- Prepended to every script that changes a job's state.

-- Every key of a shard begins like its first. Scripts that serve many jobs derive the jobs' keys from it: a worker spent
-- more time on writing keys and words out one by one than on all else it does for a job. (BullMQ's scripts do the same;
-- on a Cluster such keys are in the slot of the first.)
local BASE = KEYS[1]:match('^.-}:')
local function record_of(id) return BASE .. 'j:' .. id end
local function payload_of(id) return BASE .. 'p:' .. id end
local function packed() return cmsgpack.unpack(ARGV[1]) end

-- Who runs a job, and since when (or, in the pause before a retry, from when): `<ms> <token>`.
local function holds(token, run) return run and run:sub(-#token - 1) == ' ' .. token end
local function called_at(run) return tonumber(run:match('^%S+')) end

local FINAL = { succeeded = true, failed = true, cancelled = true, expired = true }

-- The log is JSON objects joined by commas. A job parked for a day under a throttling provider could gather
-- thousands, so past 32 kB the oldest give way, but for the first: it tells when the job was begun.
local function longer_log(log, json)
  log = log and (log .. ',' .. json) or json
  if #log > 32768 then
    -- Within a string the quotes of such a seam would be escaped.
    local first = log:find('},{"hop":', 1, true) + 1
    local cut = log:find('},{"hop":', #log - 32768 + first, true)
    if cut then log = log:sub(1, first) .. log:sub(cut + 2) end
  end
  return log
end

local function log_attempts(record, json)
  if json == '' then return end
  redis.call('HSET', record, 'attempts', longer_log(redis.call('HGET', record, 'attempts'), json))
end

-- A call that ended with nobody there to judge it: the provider may well charge for it.
local function log_interrupted(record, hop, target, started, finished, reason)
  local slash = target:find('/', 1, true)
  log_attempts(record, string.format(
    '{"hop":%d,"provider":%s,"model":%s,"started_at":%.3f,"duration_ms":%s,"status_code":null,"verdict":null,"reason":"%s","possibly_billed":true}',
    hop, cjson.encode(target:sub(1, slash - 1)), cjson.encode(target:sub(slash + 1)), started / 1000,
    finished and string.format('%d', finished - started) or 'null', reason))
end

-- The one way a job ends: starts its retention and tells who waits: they listen on a channel named as the record.
-- The caller removes what would still wake it (`wakers`), and sees to the payload. `run` stays behind: only a
-- running job's is ever looked at, and each job pays for every command here.
local function finish(record, agenda, id, hook, status, now, retention, ...)
  redis.call('HSET', record, 'state', status, 'finished', now, ...)
  if hook then
    -- No expiry while a delivery is due: retries last longer than the retention.
    redis.call('HSET', record, 'delivery', 'pending')
    redis.call('ZADD', agenda, now, id .. '.w.0')
  else
    redis.call('PEXPIRE', record, retention)
  end
  redis.call('PUBLISH', record, status)
end

-- The agenda's entries of a live job: its doorbell and its deadline.
local function wakers(id, hop, ring)
  return id .. '.' .. (hop or '0') .. '.' .. (ring or '0'), id .. '.x'
end
