-- Takes due entries of the schedule for one sweeper: they come up again after `grace` unless it rings and removes them.
-- KEYS: schedule   ARGV: now, limit, grace until, how far ahead of Redis's own clock that is
local now = earlier_time(ARGV[1], ARGV[4])
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, entry in ipairs(due) do redis.call('ZADD', KEYS[1], 'XX', ARGV[3], entry) end
return due
