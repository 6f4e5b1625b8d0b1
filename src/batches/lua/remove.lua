-- Forgets a batch that has ended, and leaves its output files to the purger.
-- KEYS: batch, purge, output file, error file
-- ARGV: now, output file's id, error file's id
-- Replies: 'removed', 'not_ended' or 'gone'.
local r = redis.call('HMGET', KEYS[1], 'status', 'ended_at')
if not r[1] then return 'gone' end
if not r[2] then return 'not_ended' end
for i = 1, 2 do
  if redis.call('EXISTS', KEYS[2 + i]) == 1 then redis.call('HSET', KEYS[2 + i], 'deleted', 1) end
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[1 + i])
end
redis.call('DEL', KEYS[1])
return 'removed'
