-- Moves a job that waits at a target to which nobody attends, rung for the first time or after it was parked, to the next one. Its old doorbell leads nowhere from then on.
-- KEYS: record, schedule   ARGV: id, hop, generation, next target, now, doorbell due at, note
-- Replies 1, or 0 when the job moved on in the meantime.
local record = KEYS[1]
local r = redis.call('HMGET', record, 'state', 'hop', 'generation')
local hop, generation = r[2] or '0', r[3] or '0'
if (r[1] ~= 'queued' and r[1] ~= 'parked') or hop ~= ARGV[2] or generation ~= ARGV[3] then return 0 end
local next_hop = tostring(tonumber(hop) + 1)
redis.call('HSET', record, 'state', 'queued', 'hop', next_hop, 'generation', '0', 'target', ARGV[4], 'resumes', ARGV[5])
note_move(record, ARGV[7])
redis.call('ZREM', KEYS[2], ARGV[1] .. '.' .. hop .. '.' .. generation)
redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1] .. '.' .. next_hop .. '.0')
return 1
