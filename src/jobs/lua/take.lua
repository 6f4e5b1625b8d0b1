-- With: jobs/leases
-- Takes due entries of the schedule for one sweeper. They come up again later unless it rings and removes
-- them, so that a sweeper that dies loses none.
-- KEYS: schedule
-- ARGV: now, most entries, when they come up again, how far ahead of Redis's own clock now is
-- Replies: the entries.
local now = earlier_time(ARGV[1], ARGV[4])
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, entry in ipairs(due) do redis.call('ZADD', KEYS[1], 'XX', ARGV[3], entry) end
return due
