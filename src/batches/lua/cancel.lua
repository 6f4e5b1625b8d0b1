-- A client asks for a batch's end. Its feeder sees it when it next looks.
-- KEYS: batch   ARGV: now
-- Replies the status it had, or nil when there is none. One that is on its way to its end stays as it is.
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'validating' or status == 'in_progress' or status == 'finalizing' then
  redis.call('HSET', KEYS[1], 'status', 'cancelling', 'cancelling_at', ARGV[1])
end
return status
