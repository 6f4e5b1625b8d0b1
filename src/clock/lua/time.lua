-- Tells the time that all processes go by: that of Redis, which does not go back. A replica that takes over, or a Redis that
-- is started on another host, may have a clock that is behind: time then goes on from where it was, ahead of that clock, and
-- comes down to it slowly. How far ahead it is stands here, so that a process that starts later tells the same.
-- KEYS: clock   ARGV: what the process takes the time for, in ms (0: it does not know)
-- Replies {time, how far ahead of this Redis's clock that is}, both in ms.
-- Ahead by more than this, a wrong clock has been put right: time follows it back.
local longest = 3600000
-- What is lost of a lead, in a ms.
local pace = 0.05
-- What passed since somebody last asked, while nobody could: a process may know better than what stands here, by so much.
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
-- A Redis that takes no writes, because it is full or has too few replicas, tells the time all the same.
redis.pcall('HSET', KEYS[1], 'clock', string.format('%.3f', clock), 'ahead', string.format('%.3f', ahead))
return { string.format('%.3f', clock + ahead), string.format('%.3f', ahead) }
