-- With: jobs/stream-logs, jobs/leases, jobs/entries, jobs/final, jobs/attempts, jobs/finish
-- Ends a job from outside its worker: cancelled by a client, or expired at its deadline. The log gets a call
-- in flight as interrupted, and its worker drops the call.
-- KEYS: record, payload, schedule
-- ARGV: id, status, now, retention ms, end JSON, leave a running job alone until (0: end it at once), when a
--   sweeper rings webhooks
-- Replies: {the state that the job was in, and its tenant when its webhook is owed now ('' for the default)}.
--   Nothing was done when the state is final, 'gone' or 'deferred'.
local record, payload, schedule = unpack(KEYS)
local id, status, now, retention, end_json, until_ms, webhooks_due = unpack(ARGV)
local r = redis.call('HMGET', record, 'state', 'hop', 'target', 'holder', 'generation', 'webhook', 'custom_id',
  'tenant', 'log', 'spec', 'attempts', 'indexed')
local state, hop, target, holder, generation, webhook, custom_id, tenant, log = unpack(r, 1, 9)
if not state then return { 'gone' } end
if FINAL[state] then return { state } end
if state == 'running' then
  if tonumber(now) < tonumber(until_ms) then return { 'deferred' } end
  -- In the pause before a retry there is no call to interrupt.
  if called_at(holder) <= tonumber(now) then
    log_interrupted(record, hop or '0', target, holder, tonumber(now), status)
  end
  drop_call(id)
end
local bill = { now, r[10], target, r[11], was = state, tenant = tenant, indexed = r[12], code = status }
if finish(record, schedule, id, webhook, custom_id, status, webhooks_due, retention, bill, 'result', end_json) then
  publish_ends(id)
end
write_ends()
redis.call('PEXPIRE', payload, retention)
expire_log(id, log, retention)
redis.call('ZREM', schedule, entries_of(id, hop, generation))
return { state, webhook and not custom_id and (tenant or '') or nil }
