-- With: jobs/shard, jobs/bodies
-- Lets go of the oldest finished lines and their jobs, once the output files hold the lines durably: adds the
-- new segments to the files, and counts. One step, so that counts always equal the lines in the files.
-- Fenced.
-- KEYS: batch
-- Packed: token, name of this collection, job number up to which all are collected, bytes of the jobs'
--   requests, {{file's id, segment ('' for none), its bytes} for the output and the error file}, {counter,
--   increment …}, {the lines as peeked …}
-- Replies: {the batch's status}, {'lost'}, or {'changed'} when the finished lines are not those that were
--   peeked.
local batch, done = KEYS[1], BASE .. 'bd:' .. KEYS[1]:sub(-26)
local token, name, low, bytes, segments, counters, peeked = unpack(packed())

local function collect()
  local r = redis.call('HMGET', batch, 'lease', 'collection', 'status')
  if r[1] ~= token then return 'lost' end
  if r[2] == name then return r[3] end -- a lost reply made the client library send this again
  -- A Redis that lost the tail of its log may hold other lines by now than those that were read.
  local lines = redis.call('LRANGE', done, 0, #peeked - 1)
  if #lines ~= #peeked then return 'changed' end
  local gone = {}
  for i, entry in ipairs(lines) do
    if entry ~= peeked[i] then return 'changed' end
    if entry:sub(1, 1) ~= '!' then
      to_answer(record_of(entry), entry, 'UNLINK')
      gone[#gone + 1], gone[#gone + 2] = record_of(entry), payload_of(entry)
    end
  end
  if #gone > 0 then redis.call('UNLINK', unpack(gone)) end
  redis.call('LTRIM', done, #peeked, -1)
  for i, field in ipairs({ 'output_bytes', 'error_bytes' }) do
    local file, segment, size = unpack(segments[i])
    if segment ~= '' then redis.call('RPUSH', BASE .. 'fs:' .. file, segment) end
    redis.call('HINCRBY', batch, field, size)
  end
  redis.call('HSET', batch, 'collection', name, 'low', low)
  redis.call('HINCRBY', batch, 'open_bytes', 0 - bytes)
  for i = 1, #counters, 2 do redis.call('HINCRBY', batch, counters[i], counters[i + 1]) end
  return r[3]
end

return cmsgpack.pack({ collect() })
