-- With: jobs/leases
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

-- Logs the calls of a run that ended before its worker could judge them: the provider may well charge for
-- them. The entry stands for all calls that the worker has not logged, and bears its token until it logs them
-- (`account`).
local function log_interrupted(record, hop, target, holder, finished, reason)
  if has_not_called(holder) then return end
  local started = called_at(holder)
  local slash = target:find('/', 1, true)
  log_attempts(record, string.format(
    '{"hop":%d,"provider":%s,"model":%s,"started_at":%.3f,"duration_ms":%s,"status_code":null,"verdict":null,"reason":"%s","possibly_billed":true,"run":%s}',
    hop, cjson.encode(target:sub(1, slash - 1)), cjson.encode(target:sub(slash + 1)), started / 1000,
    finished and string.format('%d', finished - started) or 'null', reason, cjson.encode(token_of(holder))))
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
