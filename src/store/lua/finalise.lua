-- Writes the one final result of each job. The first good answer wins, whoever brings it; only an end without
-- success asks for the token, so that a worker that lost the job cannot fail it for the one that holds it.
-- KEYS: agenda, then for each job: record, payload
-- ARGV: now, retention ms, then for each job: id, token ('' for no fence), status, attempts, number of words, field, value …
-- Replies for each 1, or 0 when the job had its result, is gone, or is held by another.
local agenda, now, retention = KEYS[1], ARGV[1], ARGV[2]
local settled, answered = {}, {}

local function finalise(record, payload, id, token, status, attempts, fields)
  local r = redis.call('HMGET', record, 'state', 'token', 'hop', 'ring', 'webhook', 'attempts')
  if not r[1] or FINAL[r[1]] then return 0 end
  if token ~= '' and r[2] ~= token then return 0 end
  if attempts ~= '' then
    fields[#fields + 1] = 'attempts'
    fields[#fields + 1] = longer_log(r[6], attempts)
  end
  finish(record, payload, agenda, id, r[5], status, now, retention, fields)
  settled[#settled + 1], settled[#settled + 2] = wakers(id, r[3], r[4])
  if status == 'succeeded' then answered[#answered + 1] = payload end
  return 1
end

local replies, a = {}, 3
for k = 2, #KEYS, 2 do
  local id, token, status, attempts, words = unpack(ARGV, a, a + 4)
  replies[#replies + 1] = finalise(KEYS[k], KEYS[k + 1], id, token, status, attempts, { unpack(ARGV, a + 5, a + 4 + words) })
  a = a + 5 + words
end
if #settled > 0 then redis.call('ZREM', agenda, unpack(settled)) end
if #answered > 0 then redis.call('DEL', unpack(answered)) end
return replies
