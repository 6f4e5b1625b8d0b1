-- Takes a slot for a sample, unless as many wait already as may.
-- KEYS: open (samples without an end, by the time in ms at which they are given up), stats
-- ARGV: sample, now, given up at, slots, ms for which the stats are kept
-- Replies: 1, or 0 when no slot is free.
local sample, now, slots = ARGV[1], ARGV[2], tonumber(ARGV[4])
-- The sample is there when a lost reply made the client library send this again.
if redis.call('ZSCORE', KEYS[1], sample) then return 1 end
-- The first write: a Redis that is full refuses it, and the sample with it.
redis.call('HSETNX', KEYS[2], 'since', now)
local lost = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if lost > 0 then redis.call('HINCRBY', KEYS[2], 'lost', lost) end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if redis.call('ZCARD', KEYS[1]) >= slots then
  redis.call('HINCRBY', KEYS[2], 'dropped', 1)
  return 0
end
redis.call('HINCRBY', KEYS[2], 'sampled', 1)
redis.call('ZADD', KEYS[1], ARGV[3], sample)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
