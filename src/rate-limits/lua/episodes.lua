-- What 429s teach of a provider that tells no limit. An episode of them cuts the ceiling of calls at once (ceiling.lua) to what
-- was being served then: multiplicative decrease, but by what was seen. Then one call more tells whether that was a number at
-- once or a rate, and what was met is kept just below, and tried again in a while. Times are ms.
local episode, forget = 1000, 600000

local function note(state, n, now)
  local second = math.floor(now / 1000)
  local name = string.format('%d', second)
  if not state.begun[name] then
    for old in pairs(state.begun) do if tonumber(old) < second - 61 then state.begun[old] = nil end end
  end
  state.begun[name] = (state.begun[name] or 0) + n
end

-- How many calls a minute were served of late; over 1 s at least, so that a burst is not taken for a rate.
local function served_a_minute(state, now)
  local sum, from = 0, now
  for second, n in pairs(state.begun) do sum, from = sum + n, math.min(from, tonumber(second) * 1000) end
  return math.max(1, sum) * 60000 / math.max(1000, now - from)
end

-- Cuts the ceiling to what is served: the first 429 of an episode takes what is under way, each further one takes one off.
local function cut(state, seen, under_way, now)
  note(state, -seen.turnedAway, now)
  if seen.throttled == state.epoch and now - (state.cut_at or -episode) >= episode then
    state.epoch, state.cut_at, state.is_open, state.before = state.epoch + 1, now, true, state.ceiling
    state.is_soft = seen.overloaded and seen.turnedAway == 0
    state.served = math.min(under_way, seen.overloaded and state.ceiling / 2 or state.ceiling)
  elseif state.is_open then
    -- The first may be turned away before the last have begun, so what is still under way was served, too.
    state.served = math.max(state.served - seen.turnedAway, math.min(under_way, state.before))
  end
  if state.is_open then
    -- Where all were turned away, that was no number at once: half of what was, and on from there.
    local is_all = state.served < 1
    state.ceiling, state.starting = math.max(1, math.floor(is_all and state.before / 2 or state.served)), false
    state.is_soft = state.is_soft or is_all
  end
end

-- Says what an episode was about, once all its calls have come back.
local function judge(state, now, blocked)
  if not state.is_open or now - state.cut_at < episode then return end
  state.is_open, state.ok, state.took, state.turn = false, 0, 0, 1
  if state.is_soft then return end
  if state.rate then
    -- A little less than the rate that was met. What is under way shows it after an answer's time: so long no further cut.
    state.ceiling = state.before
    if now - (state.slowed_at or -1e9) > math.max(3000, 1.5 * (state.long or 0)) then
      state.rate = math.max(0.7 * state.rate, math.min(0.95 * state.rate, 1.02 * served_a_minute(state, now)))
      state.is_sure, state.slowed_at = true, now
    end
  elseif state.met and state.ceiling < 0.8 * state.met and now - state.met_at < 15000 then
    -- Soon after as many were served, fewer were too many.
    state.rate, state.is_sure, state.slowed_at = served_a_minute(state, now), false, now
    state.ceiling, state.met, state.trial = state.before, nil, nil
  else
    state.trial = not state.met and 'due' or nil
    state.met, state.met_at, state.wait = state.ceiling, now, math.min((state.wait or 5000) * 2, 300000)
  end
  state.next_at = math.max(now, blocked) + (state.rate and 5000 or state.wait)
end

-- Makes one call more than were served: where it is served, they were no number at once.
local function try(state, under_way, now, blocked)
  if state.trial == 'due' and now >= blocked and under_way >= state.ceiling then
    state.ceiling, state.trial, state.tried_at = state.ceiling + 1, 'out', now
  elseif state.trial == 'out' and not state.is_open and under_way > state.met and now - state.tried_at >= episode then
    state.rate, state.is_sure, state.starting = served_a_minute(state, now), false, true
    state.met, state.trial, state.next_at = nil, nil, now + 2000
  end
end

-- Tries a rate a little higher now and then; fast while no 429 has confirmed it. Forgets what was met long ago.
local function quicken(state, is_wanted, now)
  if now - (state.cut_at or now) > forget then state.met, state.rate, state.trial, state.cut_at = nil, nil, nil, nil end
  if not state.rate or not is_wanted or now < state.next_at then return end
  state.rate = state.rate * (state.is_sure and 1.02 or 1.3)
  state.next_at = now + (state.is_sure and 10000 or 2000)
end

-- One step: what a process has seen, and what all have under way and want, at that time.
local function step(state, seen, held, under_way, want, now, blocked)
  if seen.begun > 0 then note(state, seen.begun, now) end
  if seen.turnedAway > 0 or seen.overloaded then cut(state, seen, held, now) end
  judge(state, now, blocked)
  try(state, under_way, now, blocked)
  grow(state, seen, want >= 0.9 * state.ceiling, now)
  quicken(state, want > under_way, now)
end
