-- With: health/circuit
-- Adds what one process saw of a provider, and decides.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, terms, tally (see the store), known seq
-- Replies: the circuit, or nil when the caller knows it as it is.
local terms, tally = cjson.decode(ARGV[4]), cjson.decode(ARGV[5])
local ok, failed, reason = tally.ok, tally.failed, tally.reason
-- Why calls fail: as this report says, or the last report that had a failure. Answers alone may fill the
-- window in which most calls had failed.
local why = reason

-- A run without a new failure for this long (ms) is over: what failed then may have been mended since.
local run_lasts = 600000

local function count(run)
  if ok > 0 then
    if run.okBy ~= tally.by then run.otherOkAt, run.okBy = run.okAt, tally.by end
    run.okAt = now
  end
  if ok > 0 or now - run.at > run_lasts then run.n = 0 end
  if failed == 0 then return end
  local is_same_cut = tally.cutFromMs > 0 and tally.cutFromMs <= run.cutAt
  if not is_same_cut then run.n = run.n + tally.run end
  run.at = now
  if reason ~= '' then run.why = reason end
  if tally.cutFromMs > 0 then run.cutAt = now end
end

-- Adds this report to its bucket of the window; returns the window's sums and its run. While recovering, one
-- bucket holds the whole step. The window also holds the run: failures since a success of any process, and
-- which process saw the last successes.
local function add(bucket)
  local text = redis.call('HGET', KEYS[2], provider)
  local window, mine, run = {}, nil, nil
  local all_ok, all_failed = ok, failed
  for _, each in ipairs(text and cjson.decode(text) or {}) do
    if each[1] == run_mark then
      run = each[2]
    elseif each[1] > bucket - 10 then
      table.insert(window, each)
      all_ok, all_failed = all_ok + each[2], all_failed + each[3]
      if each[1] == bucket then mine = each end
    end
  end
  if mine == nil then
    mine = { bucket, 0, 0 }
    table.insert(window, mine)
  end
  mine[2], mine[3] = mine[2] + ok, mine[3] + failed
  if run == nil then run = { n = 0, at = 0, cutAt = 0, okBy = '', okAt = 0, otherOkAt = 0 } end
  count(run)
  if why == '' then why = run.why or '' end
  table.insert(window, { run_mark, run })
  redis.call('HSET', KEYS[2], provider, cjson.encode(window))
  return all_ok, all_failed, run
end

-- Where some calls fail anyway, a run must be so long that chance makes less than one in ten million.
local function is_long(run, all_ok, all_failed)
  if run.n < terms.runLength then return false end
  local others = math.max(0, all_failed - run.n)
  return others == 0 or all_ok == 0 or run.n * math.log(others / (others + all_ok)) <= math.log(1e-7)
end

-- Whether the reporting process's own guard has opened, and not only because of that process: others that had
-- answers lately, after calls began to fail there, show that the trouble is its own.
local function is_tripped(run)
  if tally.trippedSinceMs == 0 then return false end
  local other_ok_at = run.okBy == tally.by and run.otherOkAt or run.okAt
  local silence = now - other_ok_at
  return silence > 10 * terms.bucketMs or (silence > terms.bucketMs and other_ok_at < tally.trippedSinceMs)
end

-- A provider that recovers with a share of the traffic is judged on fewer calls, and by the step.
local on_trial = circuit.state == 'recovering' and not circuit.cooled
local steps = circuit.state == 'recovering' or circuit.state == 'throttled'
local ends = steps and circuit.untilMs <= now

local function fails()
  if not on_trial and ok + failed == 0 and tally.trippedSinceMs == 0 then return false end
  local all_ok, all_failed, run = add(on_trial and 0 or math.floor(now / terms.bucketMs))
  local least = on_trial and (ends and 1 or terms.minCallsBack) or terms.minCalls
  return crossed(terms, least, all_ok, all_failed) or is_long(run, all_ok, all_failed) or is_tripped(run)
end

if tally.answers > 0 then
  local usual = usual_of()
  usual.n, usual.longest = usual.n + tally.answers, longest_of(usual.longest, tally.longest)
  redis.call('HSET', KEYS[2], '~' .. provider, cjson.encode(usual))
end

-- A call that was overdue was answered after all: the provider was slow, and nothing else.
if tally.late and circuit.reason == 'overdue' and circuit.state ~= 'healthy' and circuit.state ~= 'throttled' then
  enter('healthy', 0, '')
  circuit.share, circuit.step, circuit.relapses = 1, 0, 0
  keep(true)
end

-- The outcome of a call from before the last change says nothing about now.
if tally.era == circuit.era and (circuit.state == 'healthy' or steps) and not is_overruled() then
  if fails() then
    if steps and not circuit.cooled then circuit.relapses = circuit.relapses + 1 end
    open(terms, why == '' and circuit.reason or why)
  elseif ends then
    step_up(terms)
  end
end
if circuit.seq ~= tonumber(ARGV[6]) then return known or cjson.encode(circuit) end
