-- Asks for the end of a batch. Its feeder sees that when it next looks; a batch that has ended stays as it
-- is.
-- KEYS: batch
-- ARGV: now
-- Replies: the status it had, or nil when there is no such batch.
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'validating' or status == 'in_progress' or status == 'finalizing' then
  redis.call('HSET', KEYS[1], 'status', 'cancelling', 'cancelling_at', ARGV[1])
end
return status
