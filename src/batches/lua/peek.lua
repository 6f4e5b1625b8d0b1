-- Reads lines whose end is known, oldest first, with what their jobs' records say.
-- KEYS: done lines
-- Takes: from, how many at most, stop after so many bytes of answers, field … of a record, in the first two of them the answer, the third says
--   which run's it is where it is elsewhere
-- Gives for each line {entry} or {job id, value of each field …, false where there is none}.
local words = packed()
local from, count, left = words[1], words[2], words[3]
local lines = {}
for i, entry in ipairs(redis.call('LRANGE', KEYS[1], from, from + count - 1)) do
  if left < 0 then break end
  if entry:sub(1, 1) == '!' then
    lines[i] = { entry }
    left = left - #entry
  else
    local values = redis.call('HMGET', record_of(entry), unpack(words, 4))
    left = left - #(values[1] or '') - #(values[2] or '')
    if values[3] then left = left - redis.call('STRLEN', answer_of(entry, values[3])) end
    table.insert(values, 1, entry)
    lines[i] = values
  end
end
return cmsgpack.pack(lines)
