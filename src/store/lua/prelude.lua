-- Prepended to every script that changes a job's state.

local FINAL = { succeeded = true, failed = true, cancelled = true, expired = true }

-- The log is JSON objects joined by commas. A job parked for a day under a throttling provider could gather
-- thousands, so past 32 kB the oldest give way.
local function log_attempts(record, json)
  if json == '' then return end
  local log = redis.call('HGET', record, 'attempts')
  log = log and (log .. ',' .. json) or json
  if #log > 32768 then
    local _, cut = log:find('},', #log - 32768, true)
    if cut then log = log:sub(cut + 1) end
  end
  redis.call('HSET', record, 'attempts', log)
end

-- A call that ended with nobody there to judge it: the provider may well charge for it.
local function log_interrupted(record, hop, target, started, finished, reason)
  local slash = target:find('/', 1, true)
  log_attempts(record, string.format(
    '{"hop":%d,"provider":%s,"model":%s,"started_at":%.3f,"duration_ms":%s,"status_code":null,"verdict":null,"reason":"%s","possibly_billed":true}',
    hop, cjson.encode(target:sub(1, slash - 1)), cjson.encode(target:sub(slash + 1)), started / 1000,
    finished and string.format('%d', finished - started) or 'null', reason))
end

-- The one way a job ends. Removes what would still wake it, starts its retention and tells who waits: they
-- listen on a channel named as the record.
local function finish(record, payload, agenda, id, status, now, retention, fields)
  local hop, ring, hook = unpack(redis.call('HMGET', record, 'hop', 'ring', 'webhook'))
  redis.call('HSET', record, 'state', status, 'finished', now, unpack(fields))
  redis.call('HDEL', record, 'token', 'run', 'resumes')
  redis.call('ZREM', agenda, id .. '.' .. (hop or '0') .. '.' .. (ring or '0'), id .. '.x')
  if hook then
    -- No expiry while a delivery is due: retries last longer than the retention.
    redis.call('HSET', record, 'delivery', 'pending')
    redis.call('ZADD', agenda, now, id .. '.w.0')
  else
    redis.call('PEXPIRE', record, retention)
  end
  if status == 'succeeded' then redis.call('DEL', payload) else redis.call('PEXPIRE', payload, retention) end
  redis.call('PUBLISH', record, status)
end
