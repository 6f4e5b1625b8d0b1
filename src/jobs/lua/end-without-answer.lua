-- Ends a job from outside its worker: cancelled by a client, or expired at its deadline. A call in flight is
-- logged as interrupted and its worker, wherever it is, told to drop it.
-- KEYS: record, payload, schedule
-- ARGV: id, status, now, retention ms, end JSON, leave a running job alone until (0: end it at once)
-- Replies the state the job was in; a final one, 'gone' or 'deferred' means that nothing was done.
local record = KEYS[1]
local r = redis.call('HMGET', record, 'state', 'hop', 'target', 'holder', 'generation', 'webhook', 'custom_id')
if not r[1] then return 'gone' end
if FINAL[r[1]] then return r[1] end
if r[1] == 'running' then
  if tonumber(ARGV[3]) < tonumber(ARGV[6]) then return 'deferred' end
  -- In the pause before a retry there is no call to interrupt.
  if called_at(r[4]) <= tonumber(ARGV[3]) then
    log_interrupted(record, r[2] or '0', r[3], r[4], tonumber(ARGV[3]), ARGV[2])
  end
  drop_call(ARGV[1])
end
if finish(record, KEYS[3], ARGV[1], r[6], r[7], ARGV[2], ARGV[3], ARGV[4], 'result', ARGV[5]) then publish_ends(ARGV[1]) end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('ZREM', KEYS[3], entries_of(ARGV[1], r[2], r[5]))
return r[1]
