-- With: jobs/shard, jobs/bodies
-- Makes jobs of a batch's next lines, notes lines that become none, and moves the cursor past them all in one
-- step: no line is fed twice, whichever process dies when. Fenced.
-- KEYS: batch
-- Packed: token, fed before, fed after, byte offset, physical line, bytes of the jobs, doorbells due at,
--   {lines that become no job …}, {{id, long body ('' where the record has it, true where it was written
--   before), field, value …} for each job}
-- Replies: {the batch's status}, {'lost'}, or {'changed'} when the cursor is not where the feeder thought, or
--   a long body is gone.
local batch = KEYS[1]
local token, before, after, offset, line, bytes, due, skipped, jobs = unpack(packed())

local function feed()
  local r = redis.call('HMGET', batch, 'lease', 'fed', 'status')
  if r[1] ~= token then return 'lost' end
  local fed = r[2] or '0'
  if fed == after then return r[3] end -- a lost reply made the client library send this again
  if fed ~= before then return 'changed' end
  for _, job in ipairs(jobs) do
    if lacks_body(job[1], job[2]) then return 'changed' end
  end

  if #skipped > 0 then redis.call('RPUSH', BASE .. 'bd:' .. batch:sub(-26), unpack(skipped)) end
  local doorbells = {}
  for _, job in ipairs(jobs) do
    local id, body = job[1], job[2]
    redis.call('HSET', record_of(id), unpack(job, 3))
    keep_body(id, body)
    doorbells[#doorbells + 1], doorbells[#doorbells + 2] = due, id .. '.0.0'
  end
  if #doorbells > 0 then redis.call('ZADD', BASE .. 'schedule', unpack(doorbells)) end
  redis.call('HSET', batch, 'fed', after, 'offset', offset, 'line', line)
  redis.call('HINCRBY', batch, 'open_bytes', bytes)
  return r[3]
end

return cmsgpack.pack({ feed() })
