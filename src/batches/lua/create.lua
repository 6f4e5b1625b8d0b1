-- With: jobs/shard
-- Writes a new batch and takes hold of its input file in one step, so that a file in use is not removed.
-- Publishes the batch to the feeders.
-- KEYS: batch, input file, batch of this request, open batches
-- ARGV: id, tenant, now, input is a file (1 or 0), may be a repetition (1 or 0), how long to look out for one
--   in ms, field, value …
-- Replies: 'created', 'no_input', or the id of the batch that the same request made before.
local id, tenant, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- The batch exists when a lost reply made the client library send this again.
if redis.call('EXISTS', KEYS[1]) == 1 then return 'created' end
if ARGV[5] == '1' then
  local first = redis.call('GET', KEYS[3])
  -- The first batch may have been deleted since.
  if first and redis.call('EXISTS', KEYS[1]:sub(1, -27) .. first:sub(-26)) == 1 then return first end
end
if ARGV[4] == '1' then
  local file = redis.call('HMGET', KEYS[2], 'tenant', 'created', 'deleted', 'expires')
  if file[1] ~= tenant or not file[2] or file[3] or (file[4] and tonumber(file[4]) <= now) then return 'no_input' end
  redis.call('HINCRBY', KEYS[2], 'refs', 1)
end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('SET', KEYS[3], id, 'PX', ARGV[6])
redis.call('ZADD', KEYS[4], 0, id)
redis.call('PUBLISH', BASE:match('^[^{]*') .. 'batches', id)
return 'created'
