-- Reads the time that all processes go by: that of Redis, which never goes back. A replica that takes over,
-- or a Redis that starts on another host, may have a clock that is behind: time then goes on from where it
-- was, ahead of that clock, and comes down to it slowly. The lead is kept here, so that a process that starts
-- later reads the same time.
-- KEYS: clock
-- ARGV: what the process takes the time for, in ms (0: it does not know)
-- Replies: {time, how far ahead of this Redis's clock that is}, both in ms.

-- A lead of more than this means that a wrong clock was put right: time follows it back. In ms.
local longest = 3600000
-- How much of a lead is given up in each ms, in ms.
local pace = 0.05
-- While no process could reach Redis, time went on. A process may know a later time than the one kept here,
-- by at most this many ms.
local outage = 60000

local time = redis.call('TIME')
local clock = time[1] * 1000 + time[2] / 1000
local r = redis.call('HMGET', KEYS[1], 'clock', 'ahead')
local last, ahead = tonumber(r[1]) or clock, tonumber(r[2]) or 0
if clock >= last then
  ahead = math.max(0, ahead - (clock - last) * pace)
else
  local was = last + ahead
  ahead = math.max(was, math.min(tonumber(ARGV[1]), was + outage)) - clock
  if ahead > longest then ahead = 0 end
end
-- A Redis that takes no writes, because it is full or has too few replicas, still replies the time.
redis.pcall('HSET', KEYS[1], 'clock', string.format('%.3f', clock), 'ahead', string.format('%.3f', ahead))
return { string.format('%.3f', clock + ahead), string.format('%.3f', ahead) }
