-- With: health/circuit
-- Adds how long a process's calls have been under way, where none was answered lately, and decides whether
-- the provider is slow.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, terms, era of the calls, the process, the ages in ms of its oldest calls (JSON,
--   longest first)
-- Replies: {age from which a call is overdue (0: unknown what is usual), the circuit}.
local terms, era, by, ages = cjson.decode(ARGV[4]), tonumber(ARGV[5]), ARGV[6], cjson.decode(ARGV[7])
local reports = '!' .. provider
-- How long the report of a process counts, in ms.
local report_lasts = 3000

local function limit_of()
  local usual = usual_of()
  if usual.n + usual.n_before < terms.slow.answers then return 0 end
  local longest = longest_of(usual.longest, usual.longest_before)
  return math.max(terms.slow.leastMs, math.ceil(terms.slow.factor * longest[#longest]))
end

-- The overdue calls of all processes, with this one's.
local function overdue_calls(limit)
  local mine = 0
  for _, ms in ipairs(ages) do if ms >= limit then mine = mine + 1 end end
  local text = redis.call('HGET', KEYS[2], reports)
  local all = text and cjson.decode(text) or {}
  local sum, kept = mine, { [by] = { mine, now, circuit.era } }
  for who, report in pairs(all) do
    if who ~= by and report[2] > now - report_lasts and report[3] == circuit.era then
      kept[who] = report
      sum = sum + report[1]
    end
  end
  redis.call('HSET', KEYS[2], reports, cjson.encode(kept))
  return sum
end

local limit = limit_of()
local stands = circuit.state == 'healthy' or circuit.state == 'recovering'
if limit > 0 and stands and era == circuit.era and not is_overruled() then
  local on_trial = circuit.state == 'recovering' and not circuit.cooled
  local needed = on_trial and terms.slow.callsBack or terms.slow.calls
  if overdue_calls(limit) >= needed and now - answered_at() >= limit / 2 then
    -- The first probe comes at once. A provider that relapsed is left alone for longer each time.
    local wait = 0
    if on_trial then
      circuit.relapses = circuit.relapses + 1
      wait = terms.resetsMs[math.min(circuit.relapses, #terms.resetsMs)]
    end
    enter('slow', now + wait, 'overdue')
    circuit.share, circuit.step = 0, 0
    redis.call('HDEL', KEYS[2], reports)
    keep(true)
  end
end
return { limit, known or cjson.encode(circuit) }
