-- Takes a batch from one status to the next and writes what became known with it. A batch that is being
-- cancelled stays so; a repetition changes nothing. Fenced.
-- KEYS: batch
-- ARGV: token, from, to, field of the time, now, field, value …
-- Replies: the status it has then, or 'lost'.
local r = redis.call('HMGET', KEYS[1], 'lease', 'status')
if r[1] ~= ARGV[1] then return 'lost' end
if #ARGV > 5 then redis.call('HSET', KEYS[1], unpack(ARGV, 6)) end
if r[2] ~= ARGV[2] then return r[2] end
redis.call('HSET', KEYS[1], 'status', ARGV[3], ARGV[4], ARGV[5])
return ARGV[3]
