-- Moves a running job on: to the next target (hop + 1), or back to its own queue (same hop, ring + 1) when its
-- worker stops. Fenced: a worker whose job was given to another moves nothing.
-- KEYS: record, agenda   ARGV: id, token, hop, ring, target, due, spent, attempts, note
-- Replies 1, or 0 when the token no longer holds the job.
local record = KEYS[1]
local r = redis.call('HMGET', record, 'state', 'run')
if r[1] ~= 'running' or not holds(ARGV[2], r[2]) then return 0 end
redis.call('HSET', record, 'state', 'queued', 'hop', ARGV[3], 'ring', ARGV[4], 'target', ARGV[5], 'spent', ARGV[7],
  'resumes', ARGV[6])
redis.call('HDEL', record, 'run')
log_attempts(record, ARGV[8])
note_move(record, ARGV[9])
redis.call('ZREM', KEYS[2], lease_of(ARGV[1]))
redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1] .. '.' .. ARGV[3] .. '.' .. ARGV[4])
return 1
