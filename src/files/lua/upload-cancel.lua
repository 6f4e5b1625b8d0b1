-- With: files/upload
-- Ends an upload for its client, and lets its parts be purged from now on.
-- KEYS: upload, purge
-- ARGV: id, now
-- Replies: 'done', or what the upload is instead of pending.
local closed = upload_closed(KEYS[1], ARGV[2])
if closed then return closed end
redis.call('HSET', KEYS[1], 'status', 'cancelled')
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 'done'
