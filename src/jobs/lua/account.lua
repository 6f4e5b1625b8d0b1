-- With: jobs/final, jobs/attempts, jobs/usage, jobs/costs
-- Puts the calls of a run that lost its job into the job's log, in place of the entry that stands for them. What
-- they cost counts in the hour in which the job ended, if it has.
-- KEYS: record
-- ARGV: token, attempts ('' for none)
-- Replies: 1, or 0 when the log has no such entry: the calls are in it already, or the job is gone.
local r = redis.call('HMGET', KEYS[1], 'attempts', 'result', 'state', 'spec', 'target')
local before, result, state, spec, target = unpack(r)
local log = account(KEYS[1], ARGV[1], ARGV[2])
if not log then return 0 end
if not FINAL[state] then return 1 end
local was, is = cost_of_ended(result, before), cost_of_ended(result, log)
if was ~= is then
  local counted = not was and (state == 'succeeded' or result:find('"usage":{', 1, true))
  local final = cjson.decode(result)
  -- As `encodeBill` told it.
  local answered = final.cached or target
  for _, call in ipairs(final.cached and {} or final.attempts or {}) do
    if call.verdict == 'ok' or call.verdict == 'refused' then answered = call.provider .. '/' .. call.model end
  end
  note_usage(final.at, spec, answered, { d = (is or 0) - (was or 0), u = counted and -1 or 0 })
  write_usage()
end
return 1
