-- Counts a file, or bytes that are kept without one, for its tenant; counts anew what was counted before.
-- What does not grow is never refused.
-- KEYS: storage of each of the tenant's files, their sums
-- ARGV: name, files (1 or 0), bytes, most files, most bytes
-- Replies: 'held', or the limit that it would exceed: 'files' or 'bytes'.
local files, bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local before = redis.call('HGET', KEYS[1], ARGV[1]) or '0 0'
local files_before, bytes_before = before:match('^(%d+) (%d+)$')
local sums = redis.call('HMGET', KEYS[2], 'files', 'bytes')
local all_files = (sums[1] or 0) + files - files_before
local all_bytes = (sums[2] or 0) + bytes - bytes_before
if files > tonumber(files_before) and all_files > tonumber(ARGV[4]) then return 'files' end
if bytes > tonumber(bytes_before) and all_bytes > tonumber(ARGV[5]) then return 'bytes' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
redis.call('HINCRBY', KEYS[2], 'files', string.format('%d', files - files_before))
redis.call('HINCRBY', KEYS[2], 'bytes', string.format('%.0f', bytes - bytes_before))
return 'held'
