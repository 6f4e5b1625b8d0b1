-- Gives back the storage that a file counted for. Harmless when that was done before, or never counted.
-- KEYS: storage of each of the tenant's files, their sums
-- ARGV: name
-- Replies: nothing of use.
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before then return end
local files, bytes = before:match('^(%d+) (%d+)$')
redis.call('HDEL', KEYS[1], ARGV[1])
-- A tenant without files has no sums, so that no mistake in them lasts.
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.call('DEL', KEYS[2]) end
redis.call('HINCRBY', KEYS[2], 'files', string.format('%.0f', 0 - files))
redis.call('HINCRBY', KEYS[2], 'bytes', string.format('%.0f', 0 - bytes))
