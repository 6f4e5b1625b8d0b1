-- Counts what a sample showed, once, and keeps the two answers where they are to be kept.
-- KEYS: open, stats, pairs (by the time in ms at which they were compared)
-- ARGV: sample, pair ('' for none), now, most pairs, ms for which they are kept, counter, increment …
-- Replies: 1, or 0 when it was counted or given up before.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 6, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1]) end
if ARGV[2] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[3] - ARGV[5])
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -ARGV[4] - 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
end
return 1
