-- Takes up a part whose bytes are durable.
-- KEYS: upload, parts   ARGV: now, part id, bytes, most parts
-- Replies 'added', 'too_many', or what the upload is instead of pending.
local closed = upload_closed(KEYS[1], ARGV[1])
if closed then return closed end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4]) then return 'too_many' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 'added'
