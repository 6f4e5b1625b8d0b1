-- Adds a process to those whose connections read a streamed job, or takes it out, and others with it.
-- KEYS: record
-- ARGV: 1 to add, 0 to take out, the process, others that go as well
-- Replies: -1 when the job is not streamed, or gone; -2 when nobody reads it and nobody can come back for it; else how
--   many processes read it; then their names.
local readers = redis.call('HGET', KEYS[1], 'stream')
if not readers then return { -1 } end
local named = {}
for i = 2, #ARGV do named[ARGV[i]] = true end
local kept = ARGV[1] == '1' and { ARGV[2] } or {}
for reader in readers:gmatch('%S+') do
  if not named[reader] then kept[#kept + 1] = reader end
end
redis.call('HSET', KEYS[1], 'stream', table.concat(kept, ' '))
if #kept > 0 then return { #kept, unpack(kept) } end
local r = redis.call('HMGET', KEYS[1], 'class', 'key')
return { r[1] == 'interactive' and not r[2] and -2 or 0 }
