-- Prepended to every script that changes a job's state.

-- Whether a script that makes things is only to find them: there is no room for more.
local MAKES_NONE = false

-- Every key of a shard begins like its first. Scripts that serve many jobs derive the jobs' keys from it: a worker spent
-- more time on writing keys and words out one by one than on all else it does for a job. (BullMQ's scripts do the same;
-- on a Cluster such keys are in the slot of the first.)
local BASE = KEYS[1]:match('^.-}:')
local function record_of(id) return BASE .. 'j:' .. id end
local function payload_of(id) return BASE .. 'p:' .. id end
-- Where a long answer is, by the word with which its record names it.
local function answer_of(id, run) return BASE .. 'a:' .. id .. ':' .. run end
local function packed() return cmsgpack.unpack(ARGV[1]) end

-- A lease is given by the later of two clocks, that of its process and that of Redis, and ends by the earlier one: whoever's
-- clock is wrong, or has just stepped, neither cuts short what it holds nor takes what others do.
local function redis_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function later_time(now) return math.max(tonumber(now), redis_time()) end
local function earlier_time(now, ahead) return math.min(tonumber(now), redis_time() + ahead) end

-- A record's `holder`: the worker that runs the job, and since when (in the pause before a retry: from when), as `<ms> <token>` or
-- `<ms> alone <token>`.
local function holds(token, holder) return holder and holder:sub(-#token - 1) == ' ' .. token end
local function called_at(holder) return tonumber(holder:match('^%S+')) end
local function token_of(holder) return holder:match('(%S+)$') end
local function is_alone(holder) return holder:find(' alone ', 1, true) ~= nil end

-- A long body was written before its job, with an end in sight: `true` stands for it. The job takes it over.
local function lacks_body(id, body) return body == true and redis.call('EXISTS', payload_of(id)) == 0 end
local function keep_body(id, body)
  if body == true then redis.call('PERSIST', payload_of(id)) elseif body ~= '' then redis.call('SET', payload_of(id), body) end
end

-- What is to be done to a record's long answer, if it has one, as it is done to the record.
local function to_answer(record, id, command, ...)
  local run = redis.call('HGET', record, 'apart')
  if run then redis.call(command, answer_of(id, run), ...) end
end

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

-- Why a job moved where no call tells: a line each. The latest, so that the record stays a compact listpack however often
-- the job parks.
local function note_move(record, line)
  if line == '' then return end
  local moves = redis.call('HGET', record, 'moves')
  moves = moves and (moves .. '\n' .. line) or line
  if #moves > 1000 then
    local cut = moves:find('\n', #moves - 1000, true)
    if cut then moves = moves:sub(cut + 1) end
  end
  redis.call('HSET', record, 'moves', moves)
end

-- Calls of a run that ended with nobody there to judge them: the provider may well charge for them. The entry stands for all that the
-- run's worker has not logged, and bears its token until that tells of them itself (`account`).
local function log_interrupted(record, hop, target, holder, finished, reason)
  local started = called_at(holder)
  local slash = target:find('/', 1, true)
  log_attempts(record, string.format(
    '{"hop":%d,"provider":%s,"model":%s,"started_at":%.3f,"duration_ms":%s,"status_code":null,"verdict":null,"reason":"%s","possibly_billed":true,"run":%s}',
    hop, cjson.encode(target:sub(1, slash - 1)), cjson.encode(target:sub(slash + 1)), started / 1000,
    finished and string.format('%d', finished - started) or 'null', reason, cjson.encode(token_of(holder))))
end

-- What the worker of a run says of its calls after the job was taken from it, or had its end: in the place of the entry that stands for
-- them. So each call is in the log once, whoever comes back when. Calls that were never made ('') leave it.
local function account(record, token, calls)
  local log = redis.call('HGET', record, 'attempts')
  if not log then return 0 end
  local mark, stop = log:find(',"run":' .. cjson.encode(token) .. '}', 1, true)
  if not mark then return 0 end
  local start, seam = 1, log:find('},{"hop":', 1, true)
  while seam and seam < mark do start, seam = seam + 2, log:find('},{"hop":', seam + 1, true) end
  local before, after = log:sub(1, start - 1), log:sub(stop + 1)
  if calls == '' then
    if before ~= '' then before = before:sub(1, -2) else after = after:sub(2) end
  end
  log = before .. calls .. after
  if log == '' then redis.call('HDEL', record, 'attempts') else redis.call('HSET', record, 'attempts', log) end
  return 1
end

-- Where the lines of a job's batch gather whose end is known. A batch's core is its jobs' with line number 0.
local function done_lines(id)
  return BASE .. 'bd:' .. id:sub(5, 24) .. '00000' .. id:sub(-1)
end

-- Webhooks of batches, and of notices, that are owed until they are delivered or given up: by when they were last looked at.
-- The reconciler of jobs finds a job's by the index of all jobs; these stand in no other list once their batch has ended.
local function owe_announcement(id, now) redis.call('ZADD', BASE .. 'owed', now, id) end

-- The lists of dead letters that a letter stands in: those of its kind, for the kinds are kept for different times, and of them
-- those of its tenant.
local function letters_of(id, tenant)
  local all = BASE .. (id:sub(1, 4) == 'job_' and 'dead:jobs' or 'dead:batches')
  return all, all .. ':' .. (tenant or 'default')
end

-- The one way a job ends: starts its retention. Replies whether somebody may wait for this end, and is to be told (`publish_ends`).
-- The caller removes what would still wake it (`entries_of`), and sees to the payload. `holder` stays behind: only a running
-- job's is ever looked at, and each job pays for every command here. A job of a batch (`custom_id`) is handed to the
-- batch's feeder instead, which removes it when its line is durable: nobody else waits for it.
local function finish(record, schedule, id, hook, custom_id, status, now, retention, ...)
  redis.call('HSET', record, 'state', status, ...)
  if custom_id then
    redis.call('RPUSH', done_lines(id), id)
    return false
  end
  if hook then
    -- No expiry while a delivery is due: retries last longer than the retention.
    redis.call('HSET', record, 'delivery', 'pending')
    redis.call('ZADD', schedule, now, id .. '.w.0')
  else
    redis.call('PEXPIRE', record, retention)
  end
  return true
end

-- One channel for all: who waits for jobs has one ear for them, and a script that ends many speaks once.
local function publish_ends(ids)
  redis.call('PUBLISH', BASE:match('^[^{]*') .. 'ends', ids)
end

-- Has the call of a running job dropped, wherever it is made.
local function drop_call(id)
  redis.call('PUBLISH', BASE:match('^[^{]*') .. 'abort', id)
end

-- The schedule's entry that comes up when whoever runs a job has been silent for too long.
local function lease_of(id) return id .. '.l' end

-- The schedule's entries of a live job: its doorbell, its deadline, and its worker's lease.
local function entries_of(id, hop, generation)
  return id .. '.' .. (hop or '0') .. '.' .. (generation or '0'), id .. '.x', lease_of(id)
end

-- Makes a file visible. The words of its record stand in ARGV from `at`, after their number; its segments follow them.
local function write_file(record, segments, purge, id, expires, at)
  local words = tonumber(ARGV[at])
  redis.call('HSET', record, unpack(ARGV, at + 1, at + words))
  -- Of many parts, by the thousand: `unpack` has room for some 8,000.
  for i = at + words + 1, #ARGV, 1000 do
    redis.call('RPUSH', segments, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
  if expires == '0' then redis.call('ZREM', purge, id) else redis.call('ZADD', purge, expires, id) end
end

-- What an upload is instead of pending, or nil when it takes parts.
local function upload_closed(upload, now)
  local r = redis.call('HMGET', upload, 'status', 'expires')
  if not r[1] then return 'gone' end
  if r[1] ~= 'pending' then return r[1] end
  if tonumber(r[2]) <= tonumber(now) then return 'expired' end
end
