-- With: files/upload
-- Adds a part whose bytes are durable, within the bytes that the upload announced. A part that was added
-- before is answered by its first id, so that it counts once however often it is sent.
-- KEYS: upload, parts
-- ARGV: now, part id, bytes, most parts, fingerprint of the part, may be a repetition (1 or 0)
-- Replies: 'added', the id of the same part, 'too_many', 'too_much', or what the upload is instead of
--   pending.
local closed = upload_closed(KEYS[1], ARGV[1])
if closed then return closed end
local r = redis.call('HMGET', KEYS[1], 'bytes', 'received')
local is_beyond = tonumber(r[2] or '0') + tonumber(ARGV[3]) > tonumber(r[1])
-- The latest of several same parts is meant; ids are ordered by time. A part beyond the announced bytes can
-- only be a repetition.
if is_beyond or ARGV[6] == '1' then
  local same, ends = nil, ' ' .. ARGV[5]
  local all = redis.call('HGETALL', KEYS[2])
  for i = 1, #all, 2 do
    if all[i + 1]:sub(-#ends) == ends and (not same or all[i] > same) then same = all[i] end
  end
  if same then return same end
end
if is_beyond then return 'too_much' end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4]) then return 'too_many' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3] .. ' ' .. ARGV[5])
redis.call('HINCRBY', KEYS[1], 'received', ARGV[3])
return 'added'
