-- A lease is given by the later of two clocks, that of its process and that of Redis, and ends by the earlier
-- one. So a process whose clock is wrong, or has just stepped, neither cuts its own leases short nor takes
-- others'.
local function redis_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function later_time(now) return math.max(tonumber(now), redis_time()) end
local function earlier_time(now, ahead) return math.min(tonumber(now), redis_time() + ahead) end

-- A record's `holder` is `<ms> <token>`, `<ms> alone <token>` or `<ms> waits <token>`: the worker that runs the job, and since
-- when (in the pause before a retry: from when), or that calls nothing for it until it is alone.
local function holds(token, holder) return holder and holder:sub(-#token - 1) == ' ' .. token end
local function called_at(holder) return tonumber(holder:match('^%S+')) end
local function token_of(holder) return holder:match('(%S+)$') end
local function is_alone(holder) return holder:find(' alone ', 1, true) ~= nil end
local function has_not_called(holder) return holder:find(' waits ', 1, true) ~= nil end
