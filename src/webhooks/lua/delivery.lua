-- With: jobs/shard, jobs/bodies, jobs/lines, jobs/lives, webhooks/dead-letters
-- Records how webhook deliveries ended. Fenced by the number of attempts, so that a repeated doorbell, or a
-- script that is sent again, counts once. All records are of one shard.
-- KEYS: schedule
-- Packed: now, then for each {record, id, attempts before, outcome (delivered, pending or dead), last reason,
--   retention ms, next attempt at, how long it took in ms}
-- Replies: for each 1, or 0 when this delivery was recorded before.
local deliveries = packed()
local schedule, now = KEYS[1], deliveries[1]
local obsolete, replies = {}, {}
local OLD_LETTERS = 20

-- The lists sort letters by name; names begin with the time, so the oldest come first.
local function add_letter(record, id, retention)
  redis.call('HSET', record, 'died', now)
  local since = string.format('(%013d', now - retention)
  for _, list in ipairs({ letters_of(id, redis.call('HGET', record, 'tenant')) }) do
    redis.call('ZADD', list, 0, string.format('%013d:', now) .. id)
    -- Removes letters whose records are past their retention: more than come, and no more at once than a moment takes.
    local old = redis.call('ZRANGE', list, '-', since, 'BYLEX', 'LIMIT', 0, OLD_LETTERS)
    if #old > 0 then redis.call('ZREM', list, unpack(old)) end
    redis.call('PEXPIRE', list, retention)
  end
end

local function record_delivery(record, id, before, outcome, reason, retention, next_at, took)
  local r = redis.call('HMGET', record, 'delivery', 'deliveries', 'held', 'delivery_log')
  if r[1] ~= 'pending' or (r[2] or '0') ~= before then return 0 end
  local attempts = string.format('%d', before + 1)
  local log = longer_lines(r[4], now .. ' ' .. took .. ' ' .. outcome .. ' ' .. reason)
  redis.call('HSET', record, 'delivery', outcome, 'deliveries', attempts, 'delivery_reason', reason, 'delivery_log', log)
  if r[3] then redis.call('HDEL', record, 'held') end
  local doorbell = id .. '.w.' .. before
  obsolete[#obsolete + 1], obsolete[#obsolete + 2] = doorbell, doorbell .. '.l'
  if outcome == 'pending' then
    redis.call('HSET', record, 'delivery_due', next_at)
    redis.call('ZADD', schedule, next_at, id .. '.w.' .. attempts)
    return 1
  end
  if id:sub(1, 4) ~= 'job_' then redis.call('ZREM', BASE .. 'owed', id) end
  note_life(id, -1)
  if outcome == 'dead' then add_letter(record, id, retention) end
  redis.call('PEXPIRE', record, retention)
  to_answer(record, id, 'PEXPIRE', retention)
  return 1
end

for i = 2, #deliveries do replies[i - 1] = record_delivery(unpack(deliveries[i])) end
write_lives()
if #obsolete > 0 then redis.call('ZREM', schedule, unpack(obsolete)) end
return cmsgpack.pack(replies)
