-- Gives back what a file took. Harmless when that was done, or never counted.
-- KEYS: what each of the tenant's takes, their sums   ARGV: name
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before then return end
local files, bytes = before:match('^(%d+) (%d+)$')
redis.call('HDEL', KEYS[1], ARGV[1])
-- Of nothing there is no sum, so that no mistake in it lasts.
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.call('DEL', KEYS[2]) end
redis.call('HINCRBY', KEYS[2], 'files', string.format('%.0f', 0 - files))
redis.call('HINCRBY', KEYS[2], 'bytes', string.format('%.0f', 0 - bytes))
