-- With: jobs/shard, jobs/bodies, jobs/stream-logs, jobs/leases, jobs/entries, jobs/final, jobs/attempts, jobs/finish
-- Writes the one final result of each job. The first good answer wins, from any worker: an end without
-- success asks for the token, so that a worker that lost the job cannot fail it for the one that holds it.
-- When the loser answers first, the call of the holder is dropped, and the log has both calls, each once. All
-- records are of one shard.
-- KEYS: schedule
-- Packed: now, retention ms, when a sweeper rings webhooks, then for each job {id, token, status, has a payload, frees its idempotency key,
--   the run whose long answer was written before ('' for none), bill, field, value …}
-- Replies: for each 1, or 2 when its webhook is owed, 0 when the job had its result, is gone or is held by
--   another, or -1 when the long answer is gone.
local ends = packed()
local schedule, now, retention, webhooks_due = KEYS[1], ends[1], ends[2], ends[3]
local obsolete, payloads, ended = {}, {}, {}

-- A client that sends the same request again then gets a new job.
local function free_key(record, id)
  local hash = redis.call('HGET', record, 'key')
  if not hash then return end
  local key = BASE .. 'i:' .. hash
  local first = redis.call('GET', key)
  if first and first:sub(1, #id + 1) == id .. ' ' then redis.call('DEL', key) end
end

local function finalise(fields)
  local id, token, status, has_payload, frees_key, apart, bill = unpack(fields, 1, 7)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'holder', 'hop', 'generation', 'webhook', 'custom_id', 'target',
    'background', 'log', 'restarts', 'spec', 'attempts', 'tenant', 'indexed')
  local state, holder, hop, generation, webhook, custom_id, target, background, log, restarts = unpack(r, 1, 10)
  if not state or FINAL[state] then return 0 end
  -- Readers have a part of another run's answer: this one would be glued on to it, unless it begins anew.
  if log and not of_claim(log, token) and not (restarts and holds(token, holder)) then return 0 end
  local answer = apart ~= '' and answer_of(id, apart)
  if answer and redis.call('EXISTS', answer) == 0 then return -1 end
  if state ~= 'running' or not holds(token, holder) then
    if status ~= 'succeeded' then return 0 end
    if state == 'running' then
      if called_at(holder) <= tonumber(now) then
        log_interrupted(record, hop or '0', target, holder, tonumber(now), 'superseded')
      end
      drop_call(id)
    end
    -- This end brings the calls with it.
    account(record, token, '')
  end
  if frees_key then free_key(record, id) end
  -- A short answer takes the place of its request, which readers of a response in the background ask for.
  if background and fields[10] == 'request' then fields[10] = 'body' end
  local ends_at = { now, r[11], target, r[12], unpack(bill) }
  ends_at.was, ends_at.tenant, ends_at.indexed, ends_at.code = state, r[13], r[14], bill[7]
  if finish(record, schedule, id, webhook, custom_id, status, webhooks_due, retention, ends_at, unpack(fields, 8)) then
    ended[#ended + 1] = id
  end
  obsolete[#obsolete + 1], obsolete[#obsolete + 2], obsolete[#obsolete + 3] = entries_of(id, hop, generation)
  -- The answer is kept as long as the record: until its webhook is delivered, or its line collected.
  if answer then
    if webhook or custom_id then redis.call('PERSIST', answer) else redis.call('PEXPIRE', answer, retention) end
  end
  expire_log(id, log, retention)
  if has_payload then
    local payload = payload_of(id)
    if status == 'succeeded' and not background then payloads[#payloads + 1] = payload else redis.call('PEXPIRE', payload, retention) end
  end
  return webhook and not custom_id and 2 or 1
end

local replies = {}
for i = 4, #ends do replies[i - 3] = finalise(ends[i]) end
write_ends()
if #obsolete > 0 then redis.call('ZREM', schedule, unpack(obsolete)) end
if #payloads > 0 then redis.call('DEL', unpack(payloads)) end
if #ended > 0 then publish_ends(table.concat(ended, ' ')) end
return cmsgpack.pack(replies)
