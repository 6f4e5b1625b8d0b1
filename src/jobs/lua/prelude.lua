-- Prepended to every script that changes a job's state.

-- Whether a script that makes things only finds those that exist, because Redis is full.
local MAKES_NONE = false

-- Every key of a shard begins like its first. Scripts that serve many jobs derive the jobs' keys from it,
-- because a worker spent more time on sending keys one by one than on all else it does for a job. (BullMQ's
-- scripts do the same; on a Cluster such keys are in the slot of the first.)
local BASE = KEYS[1]:match('^.-}:')
local function record_of(id) return BASE .. 'j:' .. id end
local function payload_of(id) return BASE .. 'p:' .. id end
-- A long answer has a key of its own, which names the run that gave it, as the record's `apart` does.
local function answer_of(id, run) return BASE .. 'a:' .. id .. ':' .. run end
-- The bytes of a streamed answer, as the run that this word names had it from its provider: the token of a claim, or
-- `<token>-2` and so on where that has begun anew.
local function log_of(id, run) return BASE .. 'l:' .. id .. ':' .. run end
local function of_claim(run, token) return run == token or run:sub(1, #token + 1) == token .. '-' end
-- A log is there for readers that were cut off; later ones get the answer itself.
local LOG_MS = 600000
local function expire_log(id, run, ttl)
  if run then redis.call('PEXPIRE', log_of(id, run), math.min(ttl, LOG_MS)) end
end
local function packed() return cmsgpack.unpack(ARGV[1]) end

-- A lease is given by the later of two clocks, that of its process and that of Redis, and ends by the earlier
-- one. So a process whose clock is wrong, or has just stepped, neither cuts its own leases short nor takes
-- others'.
local function redis_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function later_time(now) return math.max(tonumber(now), redis_time()) end
local function earlier_time(now, ahead) return math.min(tonumber(now), redis_time() + ahead) end

-- A record's `holder` is `<ms> <token>` or `<ms> alone <token>`: the worker that runs the job, and since when
-- (in the pause before a retry: from when).
local function holds(token, holder) return holder and holder:sub(-#token - 1) == ' ' .. token end
local function called_at(holder) return tonumber(holder:match('^%S+')) end
local function token_of(holder) return holder:match('(%S+)$') end
local function is_alone(holder) return holder:find(' alone ', 1, true) ~= nil end

-- `true` stands for a long body, which was written before its job and with an expiry. The job takes it over.
local function lacks_body(id, body) return body == true and redis.call('EXISTS', payload_of(id)) == 0 end
local function keep_body(id, body)
  if body == true then redis.call('PERSIST', payload_of(id)) elseif body ~= '' then redis.call('SET', payload_of(id), body) end
end

-- Does to a record's long answer, if it has one, what the caller does to the record.
local function to_answer(record, id, command, ...)
  local run = redis.call('HGET', record, 'apart')
  if run then redis.call(command, answer_of(id, run), ...) end
end

local FINAL = { succeeded = true, failed = true, cancelled = true, expired = true }

-- The log is JSON objects joined by commas. A job parked for a day under a throttling provider could gather
-- thousands, so past 32 kB the oldest give way, except the first: it shows when the job was begun.
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

-- Only the latest lines are kept, so that the record stays a compact listpack however often a job parks, or its
-- webhook is tried.
local function longer_lines(lines, line)
  lines = lines and (lines .. '\n' .. line) or line
  local cut = #lines > 1000 and lines:find('\n', #lines - 1000, true)
  return cut and lines:sub(cut + 1) or lines
end

-- Adds a line that says why a job moved, where no call shows it.
local function note_move(record, line)
  if line ~= '' then redis.call('HSET', record, 'moves', longer_lines(redis.call('HGET', record, 'moves'), line)) end
end

-- Logs the calls of a run that ended before its worker could judge them: the provider may well charge for
-- them. The entry stands for all calls that the worker has not logged, and bears its token until it logs them
-- (`account`).
local function log_interrupted(record, hop, target, holder, finished, reason)
  local started = called_at(holder)
  local slash = target:find('/', 1, true)
  log_attempts(record, string.format(
    '{"hop":%d,"provider":%s,"model":%s,"started_at":%.3f,"duration_ms":%s,"status_code":null,"verdict":null,"reason":"%s","possibly_billed":true,"run":%s}',
    hop, cjson.encode(target:sub(1, slash - 1)), cjson.encode(target:sub(slash + 1)), started / 1000,
    finished and string.format('%d', finished - started) or 'null', reason, cjson.encode(token_of(holder))))
end

-- What jobs used, by the hour (UTC) in which they ended, who answered and for which route. Costs are whole
-- hundred-millionths of a dollar, so that sums are exact. A script notes what it does, and writes it once.
local USAGE_MS = 400 * 86400000
-- Clients choose the names that wildcards stand for. What comes to more fields than this in an hour goes by one name.
local USAGE_FIELDS = 2100
local used = {}
local function note_usage(at, spec, target, amounts)
  local key = BASE .. 'usage:' .. math.floor(tonumber(at) / 3600000)
  local name = target .. '\n' .. spec:match('^%S+ %S+ %S+ (.*)')
  local hour = used[key] or {}
  used[key] = hour
  for kind, by in pairs(amounts) do
    if by ~= 0 then hour[kind .. name] = (hour[kind .. name] or 0) + by end
  end
end
local function write_usage()
  for key, hour in pairs(used) do
    for field, by in pairs(hour) do
      -- A field is new when it holds just this.
      local sum = redis.call('HINCRBY', key, field, string.format('%.0f', by))
      if sum == by and redis.call('HLEN', key) > USAGE_FIELDS and not field:find('/*\n*', 1, true) then
        redis.call('HDEL', key, field)
        field = field:match('^.[^/]*') .. '/*\n*'
        sum = redis.call('HINCRBY', key, field, string.format('%.0f', by))
      end
      if sum == by and field:sub(1, 1) == 'r' then redis.call('PEXPIRE', key, USAGE_MS) end
    end
  end
end

-- What the calls in some JSON cost, and the dearer of two costs; nil when none is known. A text within the JSON
-- cannot look like a field, as its quotes are escaped.
local function cost_in(json)
  local sum
  for cost in (json or ''):gmatch('"cost_usd":([%d.e+-]+)') do sum = (sum or 0) + math.floor(cost * 1e8 + 0.5) end
  return sum
end
local function dearer(a, b) return a and b and math.max(a, b) or a or b end

-- The cost of a job as its record shows it: see `greater` in record.ts.
local function cost_of_ended(result, log)
  local known = result:match('"cost":([%d.e+-]+)')
  local logged, fresh = cost_in(log), cost_in(result)
  if logged or fresh then logged = (logged or 0) + (fresh or 0) end
  return dearer(known and math.floor(known * 1e8 + 0.5), logged)
end

-- Logs the calls of a run after its worker lost the job, or the job ended: they replace the entry that stands
-- for them, so that each call is in the log once, whichever worker comes back when. Without calls ('') the
-- entry goes. Returns the log as it is then, or nil where it has no such entry.
local function account(record, token, calls)
  local log = redis.call('HGET', record, 'attempts')
  if not log then return nil end
  local mark, stop = log:find(',"run":' .. cjson.encode(token) .. '}', 1, true)
  if not mark then return nil end
  local start, seam = 1, log:find('},{"hop":', 1, true)
  while seam and seam < mark do start, seam = seam + 2, log:find('},{"hop":', seam + 1, true) end
  local before, after = log:sub(1, start - 1), log:sub(stop + 1)
  if calls == '' then
    if before ~= '' then before = before:sub(1, -2) else after = after:sub(2) end
  end
  log = before .. calls .. after
  if log == '' then redis.call('HDEL', record, 'attempts') else redis.call('HSET', record, 'attempts', log) end
  return log
end

-- The finished lines of a job's batch. The batch's id is the job's with line number 0.
local function done_lines(id)
  return BASE .. 'bd:' .. id:sub(5, 24) .. '00000' .. id:sub(-1)
end

-- How many jobs live of those made in the same 33 seconds, which are named by the first seven characters of
-- their ids' time: jobs without an end, and those that owe a webhook. The reconciler looks for live jobs only
-- where there are any. Lines of batches and samples of mirrors, which others look after, do not count. A
-- script notes what it does, and writes it once.
local lives = {}
local function note_life(id, by)
  if id:sub(1, 4) ~= 'job_' then return end
  local block = id:sub(5, 11)
  lives[block] = (lives[block] or 0) + by
end
local function write_lives()
  for block, by in pairs(lives) do
    if redis.call('HINCRBY', BASE .. 'live', block, by) <= 0 then redis.call('HDEL', BASE .. 'live', block) end
  end
end

-- Lists of jobs in the order of their ids: those without an end, and those of each end. Lines of batches and samples of
-- mirrors are in none. An entry is an id without its prefix, and beneath it what filters ask for, a line each: tenant
-- ('' for the default), route, who is asked next or answered, why it has ended (the code of its error) or waits ('parked'),
-- and what the record has of metadata that is indexed. Its score are the characters of the id that vary first: by names
-- alone, a job took Redis twice as long to add.
-- Whether a route is the one that is asked for, or like it where that has a star.
local function route_like(wanted)
  local head, tail = wanted:match('^([^*]*)%*(.*)$')
  if not head then return function(has) return has == wanted end end
  return function(has)
    return #has > #head + #tail and has:sub(1, #head) == head and has:sub(#has - #tail + 1) == tail
  end
end
local function list_of(state) return BASE .. 'list:' .. (FINAL[state] and state or 'open') end
local function score_of(core) return tonumber(core:sub(2, 11), 36) end
local function list_entry(id, tenant, spec, target, why, indexed)
  return table.concat({ id:sub(5), tenant or '', spec:match('^%S+ %S+ %S+ (.*)'), target, why or '', indexed or '' }, '\n')
end
local function is_parked(state) return state == 'parked' and state or '' end
-- For whoever does not know what else an entry says.
local function entry_in(list, id)
  local core, score = id:sub(5), score_of(id:sub(5))
  for _, entry in ipairs(redis.call('ZRANGE', list, score, score, 'BYSCORE')) do
    if entry:sub(1, #core) == core then return entry end
  end
end
local function unlist(list, id)
  local entry = entry_in(list, id)
  if entry then redis.call('ZREM', list, entry) end
end
-- The kinds of entries that each list has had: what they say behind their ids, but for metadata, and the score of the
-- newest of each. Who looks for jobs of a kind that no list has had looks at no entry, and for others begins there.
local KINDS_SINCE = '[345]'
local function kind_of(state, entry)
  return (FINAL[state] and state or 'open') .. entry:match('^\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n', 27)
end
-- Clients may name routes, so there may be many kinds: those that have had no job for longest are forgotten, and the newest
-- job of all forgotten ones stands for them.
local MAX_KINDS, FORGOTTEN = 2000, 'forgotten'
local function write_kind(kind, score)
  local all = BASE .. 'kinds'
  if redis.call('ZADD', all, 'GT', score, kind) == 0 or redis.call('ZCARD', all) <= MAX_KINDS then return end
  redis.call('ZADD', all, 'GT', redis.call('ZPOPMIN', all, 2)[4], FORGOTTEN)
end
local function note_kind(state, entry) write_kind(kind_of(state, entry), score_of(entry)) end
-- A job goes on living, and its entry says something else: it is asked elsewhere, or parks, or no longer.
local function relist(id, from, to)
  if from ~= to and redis.call('ZREM', list_of('open'), from) == 1 then
    redis.call('ZADD', list_of('open'), score_of(to), to)
    note_kind('open', to)
  end
end
-- A script notes what begins and ends, and writes it once.
local unlisted, enlisted, kinds = {}, {}, {}
local function enlist(state, entry)
  local list, kind, score = list_of(state), kind_of(state, entry), score_of(entry)
  local scored = enlisted[list] or {}
  enlisted[list] = scored
  scored[#scored + 1], scored[#scored + 2] = score, entry
  kinds[kind] = math.max(kinds[kind] or 0, score)
end
local function list_end(id, status, was, tenant, spec, target, indexed, answered, code)
  if id:sub(1, 4) ~= 'job_' then return end
  unlisted[#unlisted + 1] = list_entry(id, tenant, spec, target, is_parked(was), indexed)
  enlist(status, list_entry(id, tenant, spec, answered, code, indexed))
end
local function write_lists()
  if #unlisted > 0 and redis.call('ZREM', list_of('open'), unpack(unlisted)) < #unlisted then
    -- Some are entries of another version.
    for _, entry in ipairs(unlisted) do unlist(list_of('open'), 'job_' .. entry:sub(1, 26)) end
  end
  for list, scored in pairs(enlisted) do redis.call('ZADD', list, unpack(scored)) end
  for kind, score in pairs(kinds) do write_kind(kind, score) end
end

-- The webhooks of batches and notices that are neither delivered nor given up, by when they were last looked
-- at. The reconciler of jobs finds a job's by the index of all jobs; these are in no other list once their
-- batch ended.
local function owe_announcement(id, now) redis.call('ZADD', BASE .. 'owed', now, id) end

-- The lists that a dead letter is in: all of its kind, since the kinds are kept for different times, and
-- those of its tenant.
local function letters_of(id, tenant)
  local all = BASE .. (id:sub(1, 4) == 'job_' and 'dead:jobs' or 'dead:batches')
  return all, all .. ':' .. (tenant or 'default')
end

-- An answer without a price is told apart from an end that cost nothing.
local function note_end(status, at, spec, target, log, answered, input, cached, output, known, fresh)
  local logged = cost_in(log)
  if logged or fresh then logged = (logged or 0) + (fresh or 0) end
  local cost = dearer(known or nil, logged)
  note_usage(at, spec, answered or target, {
    r = 1, f = status == 'succeeded' and 0 or 1, i = input or 0, c = cached or 0, o = output or 0, d = cost or 0,
    u = not cost and (status == 'succeeded' or input) and 1 or 0 })
end

-- Ends a job, the one way there is, counts what it used, and starts its retention. Returns whether a client may
-- wait for this end, so that the caller publishes it (`publish_ends`). The caller also removes what would still
-- wake the job (`entries_of`), sees to the payload, and writes what is noted (`write_ends`). `bill`: when it ends,
-- its spec, target and log, and what `encodeBill` says of it, with the state in which it `was`, its `tenant`, `indexed` and `code`. `holder` stays behind: only a running job's is
-- ever read, and each job pays for every command here. A job of a batch (`custom_id`) goes to the batch's
-- collector instead, which removes it when its line is durable: no client waits for it.
local function finish(record, schedule, id, hook, custom_id, status, due, retention, bill, ...)
  redis.call('HSET', record, 'state', status, ...)
  note_end(status, unpack(bill))
  if custom_id then
    redis.call('RPUSH', done_lines(id), id)
    return false
  end
  list_end(id, status, bill.was, bill.tenant, bill[2], bill[3], bill.indexed, bill[5] or bill[3], bill.code)
  if hook then
    -- No expiry while a delivery is due: retries last longer than the retention.
    redis.call('HSET', record, 'delivery', 'pending')
    redis.call('ZADD', schedule, due, id .. '.w.0')
  else
    redis.call('PEXPIRE', record, retention)
    note_life(id, -1)
  end
  return true
end

local function write_ends()
  write_lives()
  write_usage()
  write_lists()
end

-- One channel for all jobs, so that a process subscribes once, and a script that ends many publishes once.
local function publish_ends(ids)
  redis.call('PUBLISH', BASE:match('^[^{]*') .. 'ends', ids)
end

-- Has the call of a running job dropped, in whichever process makes it.
local function drop_call(id)
  redis.call('PUBLISH', BASE:match('^[^{]*') .. 'abort', id)
end

-- The schedule's entry that comes up when the worker of a job has been silent for too long.
local function lease_of(id) return id .. '.l' end

-- The schedule's entries of a live job: its doorbell, its deadline, and its worker's lease.
local function entries_of(id, hop, generation)
  return id .. '.' .. (hop or '0') .. '.' .. (generation or '0'), id .. '.x', lease_of(id)
end

-- Makes a file visible. ARGV has from `at` on the number of its record's fields and values, these, and its
-- segments.
local function write_file(record, segments, purge, id, expires, at)
  local length = tonumber(ARGV[at])
  redis.call('HSET', record, unpack(ARGV, at + 1, at + length))
  -- Segments go by the thousand: `unpack` takes some 8,000 values at most.
  for i = at + length + 1, #ARGV, 1000 do
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
