-- Adds a process to those whose connections read a streamed job, or takes it out.
-- KEYS: record
-- ARGV: the process, 1 to add it
-- Replies: how many processes read it then; -1 when the job is not streamed, or gone; -2 when nobody reads it and
--   nobody can come back for it.
local readers = redis.call('HGET', KEYS[1], 'stream')
if not readers then return -1 end
local kept = ARGV[2] == '1' and { ARGV[1] } or {}
for reader in readers:gmatch('%S+') do
  if reader ~= ARGV[1] then kept[#kept + 1] = reader end
end
redis.call('HSET', KEYS[1], 'stream', table.concat(kept, ' '))
if #kept > 0 then return #kept end
local r = redis.call('HMGET', KEYS[1], 'class', 'key')
return r[1] == 'interactive' and not r[2] and -2 or 0
