-- With: files/file
-- Writes the record of a file whose bytes are durable.
-- KEYS: record, segments, purge
-- ARGV: id, expires at (0: never), number of fields and values, field, value …, then a segment each
-- Replies: 1, or 0 when its reservation ran out: its bytes are gone then, or soon will be.
local r = redis.call('HMGET', KEYS[1], 'created', 'deleted')
if r[1] then return 1 end -- a lost reply made the client library send this again
if r[2] or not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
write_file(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], 3)
return 1
