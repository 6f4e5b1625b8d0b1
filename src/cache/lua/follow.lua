-- Has a parked job woken when the leader has ended.
-- KEYS: those of prelude.lua
-- ARGV: job, its doorbell, ms to keep it for
-- Replies: 1, or 0 when there is no leader that would wake it, or the answer is here.
if redis.call('EXISTS', LEAD) == 0 or redis.call('EXISTS', ANSWER) == 1 then return 0 end
redis.call('HSET', FOLLOWERS, ARGV[1], ARGV[2])
redis.call('PEXPIRE', FOLLOWERS, ARGV[3])
return 1
