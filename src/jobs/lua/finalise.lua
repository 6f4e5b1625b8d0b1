-- Writes the one final result of each job. The first good answer wins, whoever brings it; only an end without
-- success asks for the token, so that a worker that lost the job cannot fail it for the one that holds it. Where one that lost it is
-- first, the call of the one that holds it is dropped: the log has both, each once.
-- KEYS: schedule
-- Takes: now, retention ms, then for each job {id, token, status, has a payload, sets its idempotency key free,
--   the run whose long answer was written before ('' without one), field, value …}
-- Gives for each 1, 0 when the job had its result, is gone, or is held by another, or -1 when the long answer is gone.
local ends = packed()
local schedule, now, retention = KEYS[1], ends[1], ends[2]
local obsolete, payloads, ended = {}, {}, {}

-- The client that sends the same request again is to get a job of its own.
local function free_key(record, id)
  local hash = redis.call('HGET', record, 'key')
  if not hash then return end
  local key = BASE .. 'i:' .. hash
  local first = redis.call('GET', key)
  if first and first:sub(1, #id + 1) == id .. ' ' then redis.call('DEL', key) end
end

local function finalise(fields)
  local id, token, status, has_payload, frees_key, apart = unpack(fields, 1, 6)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'holder', 'hop', 'generation', 'webhook', 'custom_id', 'target')
  if not r[1] or FINAL[r[1]] then return 0 end
  local answer = apart ~= '' and answer_of(id, apart)
  if answer and redis.call('EXISTS', answer) == 0 then return -1 end
  if r[1] ~= 'running' or not holds(token, r[2]) then
    if status ~= 'succeeded' then return 0 end
    if r[1] == 'running' then
      if called_at(r[2]) <= tonumber(now) then
        log_interrupted(record, r[3] or '0', r[7], r[2], tonumber(now), 'superseded')
      end
      drop_call(id)
    end
    -- This end has them.
    account(record, token, '')
  end
  if frees_key then free_key(record, id) end
  if finish(record, schedule, id, r[5], r[6], status, now, retention, unpack(fields, 7)) then ended[#ended + 1] = id end
  obsolete[#obsolete + 1], obsolete[#obsolete + 2], obsolete[#obsolete + 3] = entries_of(id, r[3], r[4])
  -- As long as the record: until its webhook is delivered, or its line collected.
  if answer then
    if r[5] or r[6] then redis.call('PERSIST', answer) else redis.call('PEXPIRE', answer, retention) end
  end
  if has_payload then
    local payload = payload_of(id)
    if status == 'succeeded' then payloads[#payloads + 1] = payload else redis.call('PEXPIRE', payload, retention) end
  end
  return 1
end

local replies = {}
for i = 3, #ends do replies[i - 2] = finalise(ends[i]) end
if #obsolete > 0 then redis.call('ZREM', schedule, unpack(obsolete)) end
if #payloads > 0 then redis.call('DEL', unpack(payloads)) end
if #ended > 0 then publish_ends(table.concat(ended, ' ')) end
return cmsgpack.pack(replies)
