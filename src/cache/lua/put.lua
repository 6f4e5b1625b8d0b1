-- With: cache/prelude
-- Keeps an answer, from any job, and drops the oldest of its route in this shard when they exceed their
-- bytes.
-- KEYS: those of prelude.lua
-- ARGV: job, name of the answer, the answer, its ttl ms, now, bytes that the answers may have together
-- Replies: the doorbells of the jobs that followed.
local job, name, answer, ttl, now, most_bytes = unpack(ARGV)
-- Bytes that an entry takes beside its answer, for its key and in the index.
local overhead = 300

local function forget(gone)
  redis.call('ZREM', INDEX, gone)
  local size = redis.call('HGET', SIZES, gone)
  if not size then return end
  redis.call('HDEL', SIZES, gone)
  redis.call('HINCRBY', SIZES, '', -size)
end

-- The first write: a Redis that is full refuses it, and then nothing else may have been written.
redis.call('SET', ANSWER, answer, 'PX', ttl)
for _, gone in ipairs(redis.call('ZRANGE', INDEX, '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do forget(gone) end
forget(name)
redis.call('ZADD', INDEX, now + ttl, name)
redis.call('HSET', SIZES, name, #answer + overhead)
local total = redis.call('HINCRBY', SIZES, '', #answer + overhead)
while total > tonumber(most_bytes) do
  local oldest = redis.call('ZRANGE', INDEX, 0, 0)[1]
  if not oldest then break end
  -- All names have the same length.
  redis.call('UNLINK', ANSWER:sub(1, -#name - 1) .. oldest)
  forget(oldest)
  total = tonumber(redis.call('HGET', SIZES, ''))
end
-- Without new answers for the time of one ttl, all are gone, and so may these be.
for _, key in ipairs({ INDEX, SIZES }) do
  if redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
end
redis.call('DEL', FAILURES)
if leader() == job then redis.call('DEL', LEAD) end
return followers()
