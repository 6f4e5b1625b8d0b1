-- Prepended to every script about the circuit of a provider, or of a model on it (`provider/model`).
-- KEYS: circuits, windows, events of the provider
-- ARGV: name of the circuit, now, channel, then those of the script
local provider, now = ARGV[1], tonumber(ARGV[2])
local known = redis.call('HGET', KEYS[1], provider)
local circuit = known and cjson.decode(known)
  or { provider = provider, state = 'healthy', seq = 0, era = 0, sinceMs = 0, untilMs = 0, reason = '', share = 1,
       step = 0, cooled = false, relapses = 0, owner = '', pausedAtMs = 0, checkedAtMs = 0, lists = false }

-- The number under which a window holds the run of failures. No bucket has it.
local run_mark = -100

-- Publishes the circuit to every process, and keeps it in the history when it is an `event`. The number of a
-- change is its time, so that numbers grow even after a loss of all data.
local function keep(event)
  circuit.seq = math.max(circuit.seq + 1, now)
  if circuit.era == 0 then circuit.era = circuit.seq end
  known = cjson.encode(circuit)
  redis.call('HSET', KEYS[1], provider, known)
  redis.call('PUBLISH', ARGV[3], known)
  if event then
    redis.call('LPUSH', KEYS[3], known)
    redis.call('LTRIM', KEYS[3], 0, 49)
  end
end

local function go_on_as(state, untilMs, reason)
  circuit.state, circuit.sinceMs, circuit.untilMs, circuit.reason = state, now, untilMs, reason
  circuit.owner = ''
end

-- Begins a new era: what was seen before says nothing about the state that begins.
local function enter(state, untilMs, reason)
  go_on_as(state, untilMs, reason)
  circuit.era, circuit.cooled = 0, false
  redis.call('HDEL', KEYS[2], provider)
end

-- The provider of a model's circuit; nil in the circuit of a provider.
local whole = string.match(provider, '^([^/]*)/')

-- Whether this is a model of a provider that is not in full use: calls then show how the provider is.
local function is_overruled()
  local text = whole and redis.call('HGET', KEYS[1], whole)
  return text and cjson.decode(text).state ~= 'healthy'
end

-- While the whole provider is out of use, nothing is known about its models.
local function forget_models()
  local first = provider .. '/'
  local function is_mine(name) return string.sub(name, 1, #first) == first end
  for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do
    if is_mine(name) then redis.call('HDEL', KEYS[2], name) end
  end
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if is_mine(name) then
      local model = cjson.decode(redis.call('HGET', KEYS[1], name))
      model.seq = math.max(model.seq + 1, now)
      model.era, model.state, model.sinceMs, model.untilMs, model.reason = model.seq, 'healthy', now, 0, ''
      model.share, model.step, model.cooled, model.relapses, model.owner = 1, 0, false, 0, ''
      local text = cjson.encode(model)
      redis.call('HSET', KEYS[1], name, text)
      redis.call('PUBLISH', ARGV[3], text)
    end
  end
end

local function open(terms, reason)
  forget_models()
  enter('down', now + terms.resetsMs[math.min(circuit.relapses + 1, #terms.resetsMs)], reason)
  circuit.share, circuit.step = 0, 0
  keep(true)
end

-- Gives the next share of the traffic, or all of it. A provider that was only throttled keeps its window.
local function step_up(terms)
  local step = circuit.state == 'recovering' and circuit.step + 1 or 1
  local share = terms.shares[step]
  local become = circuit.cooled and go_on_as or enter
  if share == nil then
    become('healthy', 0, '')
    circuit.share, circuit.step, circuit.cooled, circuit.relapses = 1, 0, false, 0
  else
    if circuit.state ~= 'recovering' then become('recovering', 0, circuit.reason) end
    if not circuit.cooled then redis.call('HDEL', KEYS[2], provider) end
    circuit.untilMs, circuit.share, circuit.step = now + terms.checkMs, share, step
  end
  keep(true)
end

-- Times of answers are kept for two spans of this length.
local usual_span = 600000
-- How many of a span's longest answers are remembered: one that is out of the ordinary must not count as
-- usual.
local longest_kept = 3

local function usual_of()
  local text = redis.call('HGET', KEYS[2], '~' .. provider)
  local usual = text and cjson.decode(text) or { span = 0, n = 0, longest = {}, n_before = 0, longest_before = {} }
  local span = math.floor(now / usual_span)
  if usual.span ~= span then
    local follows = usual.span == span - 1
    usual.n_before, usual.longest_before = follows and usual.n or 0, follows and usual.longest or {}
    usual.span, usual.n, usual.longest = span, 0, {}
  end
  return usual
end

-- The longest of all the lists, longest first.
local function longest_of(...)
  local all = {}
  for _, each in ipairs({ ... }) do
    for _, ms in ipairs(each) do table.insert(all, ms) end
  end
  table.sort(all, function(a, b) return a > b end)
  return { all[1], all[2], all[longest_kept] }
end

-- When a call was last answered, as far as the window knows, else when the circuit's state began.
local function answered_at()
  local text = redis.call('HGET', KEYS[2], provider)
  for _, each in ipairs(text and cjson.decode(text) or {}) do
    if each[1] == run_mark then return math.max(each[2].okAt, circuit.sinceMs) end
  end
  return circuit.sinceMs
end

local function crossed(terms, least, ok, failed)
  return ok + failed >= least and failed * 100 > terms.errorPercent * (ok + failed)
end

-- When calls last showed how the provider is, as far as the window knows and no later than now. 0 when none
-- did.
local function heard_at(terms)
  local text = redis.call('HGET', KEYS[2], provider)
  local at = 0
  for _, each in ipairs(text and cjson.decode(text) or {}) do
    -- While recovering, there is one bucket for all of a step.
    at = math.max(at, each[1] == 0 and now or math.min(now, (each[1] + 1) * terms.bucketMs))
  end
  return at
end
