-- With: rate-limits/ceiling, rate-limits/rate
-- What 429s teach of a provider that tells no limit. An episode of them cuts the ceiling of calls at once (ceiling.lua) to what
-- was being served then: multiplicative decrease, but by what was seen. Then one call more tells whether that was a number at
-- once or a rate (rate.lua). A number turns away what is beyond it and nothing else; whatever contradicts that makes it a rate,
-- and a rate that is met with the same calls under way each time is taken for a number again. Times are ms.
local episode, forget = 1000, 600000

-- Cuts the ceiling to what is served: the first 429 of an episode takes what is under way, each further one takes one off.
local function cut(state, seen, under_way, now)
  note(state, -seen.turnedAway, now)
  if seen.throttled == state.epoch and now - (state.cut_at or -episode) >= episode then
    state.epoch, state.cut_at, state.is_open, state.before = state.epoch + 1, now, true, state.ceiling
    state.is_soft, state.at_cut = seen.overloaded and seen.turnedAway == 0, lately(state, now)
    state.served = math.min(under_way, seen.overloaded and state.ceiling / 2 or state.rate and under_way or state.ceiling)
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

local function to_rate(state, at_last, now, blocked)
  slow(state, measure(state, at_last), now, blocked)
  state.met, state.trial = nil, nil
end

-- Whether a rate was met with the same calls under way as before, so often that a number at once is to be tried.
local function is_number(state, now)
  local last = state.served_at_rate
  -- So soon that none has been answered says nothing.
  if last and now - state.served_at < 1.5 * (state.long or 0) then return false end
  state.alike = last and math.abs(state.served - last) <= 0.02 * last and state.alike + 1 or 0
  state.served_at_rate, state.served_at = state.served, now
  if state.alike < (state.doubt or 2) then return false end
  state.doubt, state.alike = (state.doubt or 2) * 2, 0
  return true
end

-- Says what an episode was about, once all its calls have come back.
local function judge(state, now, blocked)
  if not state.is_open or now - state.cut_at < episode then return end
  state.is_open, state.ok, state.took = false, 0, 0
  if state.is_soft then return end
  if state.rate and not is_number(state, now) then
    to_rate(state, state.at_cut, now, blocked)
    state.ceiling = math.max(state.before, state.served)
  elseif state.met and state.ceiling < 0.9 * state.met and now - state.met_at < 15000 + 2 * (state.long or 0) then
    -- Soon after as many were served, fewer were too many.
    to_rate(state, state.at_cut, now, blocked)
    state.ceiling = state.before
  else
    local is_again = state.met
    state.rate, state.trial, state.met, state.met_at = nil, 'due', state.ceiling, now
    state.wait = is_again and math.min(math.max(5000, state.wait) * 2, 300000) or 0
    state.next_at = math.max(now, blocked) + state.wait
  end
end

-- Makes one call more than were served: where it is served, they were no number at once. It goes out alone: among others it may
-- be a burst that is turned away.
local function try(state, seen, under_way, now, blocked)
  if seen.begun > 0 then state.begun_at = now end
  local is_alone = now - (state.begun_at or 0) >= episode or state.next_at and now - state.next_at > 5000
  if state.trial == 'due' and now >= math.max(state.next_at, blocked) and under_way >= state.ceiling and is_alone then
    state.ceiling, state.trial, state.tried_at = state.ceiling + 1, 'out', now
  elseif state.trial == 'out' and not state.is_open and under_way > state.met and now - state.tried_at >= episode then
    to_rate(state, 0, now, 0)
    state.starting = true
  end
end

-- One step: what a process has seen, and what all have under way and want, at that time.
local function step(state, seen, held, under_way, want, now, blocked)
  pass(state, want > under_way, now, blocked)
  if seen.begun > 0 then note(state, seen.begun, now) end
  if seen.turnedAway > 0 or seen.overloaded then cut(state, seen, held, now) end
  judge(state, now, blocked)
  try(state, seen, under_way, now, blocked)
  grow(state, seen, want >= 0.9 * state.ceiling)
  if state.cut_at and now - state.cut_at > forget then
    state.met, state.rate, state.top, state.trial, state.cut_at = nil, nil, nil, nil, nil
  end
  if state.rate then quicken(state) end
end
