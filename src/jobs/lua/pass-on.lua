-- With: jobs/moves, jobs/list-entries, jobs/relisting
-- Moves a queued or parked job to its next target, because no worker attends to this one. The old doorbell is
-- stale from then on.
-- KEYS: record, schedule
-- ARGV: id, hop, generation, next target, now, doorbell due at, note
-- Replies: 1, or 0 when the job moved on in the meantime.
local record, schedule = KEYS[1], KEYS[2]
local id, asked_hop, asked_generation, target, now, due, note = unpack(ARGV)
local r = redis.call('HMGET', record, 'state', 'hop', 'generation', 'tenant', 'spec', 'target', 'indexed')
local hop, generation = r[2] or '0', r[3] or '0'
if (r[1] ~= 'queued' and r[1] ~= 'parked') or hop ~= asked_hop or generation ~= asked_generation then return 0 end
local next_hop = tostring(tonumber(hop) + 1)
redis.call('HSET', record, 'state', 'queued', 'hop', next_hop, 'generation', '0', 'target', target, 'resumes', now)
relist(id, list_entry(id, r[4], r[5], r[6], is_parked(r[1]), r[7]), list_entry(id, r[4], r[5], target, '', r[7]))
note_move(record, note)
redis.call('ZREM', schedule, id .. '.' .. hop .. '.' .. generation)
redis.call('ZADD', schedule, due, id .. '.' .. next_hop .. '.0')
return 1
