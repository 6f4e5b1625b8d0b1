-- No target can serve a running job now: it waits in the agenda and its doorbell rings at `resumes`. Fenced.
-- KEYS: record, agenda   ARGV: id, token, hop, ring, target, resumes, spent, attempts, note
-- Replies 1, or 0 when the token no longer holds the job.
local record = KEYS[1]
local r = redis.call('HMGET', record, 'state', 'run')
if r[1] ~= 'running' or not holds(ARGV[2], r[2]) then return 0 end
redis.call('HSET', record, 'state', 'parked', 'hop', ARGV[3], 'ring', ARGV[4], 'target', ARGV[5], 'resumes', ARGV[6],
  'spent', ARGV[7])
redis.call('HDEL', record, 'run')
log_attempts(record, ARGV[8])
note_move(record, ARGV[9])
redis.call('ZREM', KEYS[2], lease_of(ARGV[1]))
redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1] .. '.' .. ARGV[3] .. '.' .. ARGV[4])
return 1
