-- With: files/file, files/upload
-- Makes an upload a file. The upload can be read for a while longer, for a client that did not get the
-- answer.
-- KEYS: upload, parts, record of the file, segments of the file, purge
-- ARGV: upload id, file id, now, ms for which the upload is kept, when the file expires (0: never), number of
--   fields and values, field, value …, then a segment each
-- Replies: 'done', or what the upload is instead of pending.
local closed = upload_closed(KEYS[1], ARGV[3])
if closed then return closed end
write_file(KEYS[3], KEYS[4], KEYS[5], ARGV[2], ARGV[5], 6)
redis.call('HSET', KEYS[1], 'status', 'completed')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('UNLINK', KEYS[2])
redis.call('ZREM', KEYS[5], ARGV[1])
return 'done'
