-- Records how one webhook delivery ended. Fenced by the number of attempts, so a repeated doorbell counts once.
-- KEYS: record, agenda, dead letters
-- ARGV: id, attempts before, outcome (delivered, pending or dead), now, next attempt at, retention ms, last reason
-- Replies 1, or 0 when this delivery was recorded before.
local record = KEYS[1]
local r = redis.call('HMGET', record, 'delivery', 'deliveries')
if r[1] ~= 'pending' or (r[2] or '0') ~= ARGV[2] then return 0 end
local attempts = ARGV[2] + 1
redis.call('HSET', record, 'delivery', ARGV[3], 'deliveries', attempts, 'delivery_reason', ARGV[7])
redis.call('ZREM', KEYS[2], ARGV[1] .. '.w.' .. ARGV[2])
if ARGV[3] == 'pending' then
  redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1] .. '.w.' .. attempts)
else
  if ARGV[3] == 'dead' then
    redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
    -- Letters whose records are past their retention by now.
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[4] - ARGV[6])
  end
  redis.call('PEXPIRE', record, ARGV[6])
end
return 1
