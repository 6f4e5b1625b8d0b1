-- Hides a file for good and lets it be purged.
-- KEYS: record, purge
-- ARGV: id, now
-- Replies: 1, or 0 when no such file is visible.
local r = redis.call('HMGET', KEYS[1], 'created', 'deleted', 'expires')
if not r[1] or r[2] or (r[3] and tonumber(r[3]) <= tonumber(ARGV[2])) then return 0 end
redis.call('HSET', KEYS[1], 'deleted', '1')
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
