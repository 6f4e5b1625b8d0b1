-- Adds what one process saw of a provider, and decides.
-- ARGV[4..]: terms, era of the calls, how many ended well, how many failed, reason of the last failure, known seq
-- Replies the circuit when the caller does not know it as it is.
local terms = cjson.decode(ARGV[4])
local era, ok, failed, reason = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

-- The buckets of the window, this report's among them, and their sums. While recovering, one bucket holds all of the step.
local function add(bucket)
  local text = redis.call('HGET', KEYS[2], provider)
  local window, mine = {}, nil
  local all_ok, all_failed = ok, failed
  for _, each in ipairs(text and cjson.decode(text) or {}) do
    if each[1] > bucket - 10 then
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
  redis.call('HSET', KEYS[2], provider, cjson.encode(window))
  return all_ok, all_failed
end

-- An outcome of a call from before the last change says nothing about what is now.
if era == circuit.era and not is_overruled() then
  if circuit.state == 'closed' and ok + failed > 0 then
    local all_ok, all_failed = add(math.floor(now / terms.bucketMs))
    if crossed(terms, terms.minCalls, all_ok, all_failed) then open(terms, reason) end
  elseif circuit.state == 'recovering' then
    local all_ok, all_failed = add(0)
    local ends = circuit.untilMs <= now
    if crossed(terms, ends and 1 or terms.minCallsBack, all_ok, all_failed) then
      circuit.relapses = circuit.relapses + 1
      open(terms, reason == '' and circuit.reason or reason)
    elseif ends then
      step_up(terms)
    end
  end
end
if circuit.seq ~= tonumber(ARGV[9]) then return known or cjson.encode(circuit) end
