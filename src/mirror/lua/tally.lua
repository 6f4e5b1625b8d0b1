-- Counts what a sample showed, once.
-- KEYS: open, stats   ARGV: sample, counter, increment …
-- Replies 1, or 0 when it was counted or given up before.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 1
