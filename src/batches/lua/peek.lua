-- With: jobs/shard, jobs/bodies
-- Reads finished lines, oldest first, with what their jobs' records say.
-- KEYS: finished lines
-- Packed: from, most lines, bytes of answers after which to stop, field … of a record: the first two hold
--   the answer, the third names the run of an answer that is kept apart
-- Replies: for each line {entry} or {job id, value of each field …, false where it has none}.
local message = packed()
local from, count, left = message[1], message[2], message[3]
local lines = {}
for i, entry in ipairs(redis.call('LRANGE', KEYS[1], from, from + count - 1)) do
  if left < 0 then break end
  if entry:sub(1, 1) == '!' then
    lines[i] = { entry }
    left = left - #entry
  else
    local values = redis.call('HMGET', record_of(entry), unpack(message, 4))
    left = left - #(values[1] or '') - #(values[2] or '')
    if values[3] then left = left - redis.call('STRLEN', answer_of(entry, values[3])) end
    table.insert(values, 1, entry)
    lines[i] = values
  end
end
return cmsgpack.pack(lines)
