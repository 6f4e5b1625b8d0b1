-- The rate of requests that 429s taught: CUBIC (RFC 9438) with requests a minute in place of a window. From just below what
-- was served it goes up to that, rests there, and leaves it ever faster while nothing is turned away, so that a rate that was
-- found far too low is out of it soon. Times are ms.
local least_rest, most_rest, decrease = 1500, 60000, 0.05

-- What was begun in each second, for the window of requests (requests.lua), and since the last measurement.
local function note(state, n, now)
  local second = math.floor(now / 1000)
  local name = string.format('%d', second)
  if not state.begun[name] then
    for old in pairs(state.begun) do if tonumber(old) < second - 61 then state.begun[old] = nil end end
  end
  state.begun[name] = (state.begun[name] or 0) + n
  state.sent = (state.sent or 0) + n
end

-- Counts the time in which calls were wanted: an idle time says nothing.
local function pass(state, is_wanted, now, blocked)
  local ms = is_wanted and now - (state.passed_at or now) or 0
  state.span, state.passed_at = (state.span or 0) + ms, now
  if now < blocked then
    state.is_shut = true
  else
    state.quiet, state.opened_at, state.is_shut = (state.quiet or 0) + ms, state.is_shut and now or state.opened_at, nil
  end
end

-- How many calls a minute were begun in the last three seconds or so.
local function lately(state, now)
  local second, sum = math.floor(now / 1000), 0
  local from = math.max((second - 3) * 1000, state.opened_at or 0)
  for s = math.floor(from / 1000), second do sum = sum + (state.begun[string.format('%d', s)] or 0) end
  return sum * 60000 / math.max(1000, now - from)
end

-- How many calls a minute were served until this 429 since the one before: a bucket or a window that was used up both times let
-- through just that meanwhile. Where that was slow until late, it is a little less than what was begun last; much less, where
-- the one before was just now.
local function measure(state, at_last)
  local rate = math.max(1, state.sent) * 60000 / math.max(1000, state.span)
  local least = (state.span > 5000 and 0.92 or 0.6) * at_last
  state.sent, state.span = 0, 0
  return math.max(rate, least)
end

-- Holds a rate from now on; it does not rise while the provider wants to be left alone.
local function slow(state, top, now, blocked)
  if state.rate then top = math.min(top, state.rate) end
  local is_same = state.top and top > 0.85 * state.top and top < 1.15 * state.top
  local pause = math.max(0, blocked - now)
  -- The dearer a 429, the longer a rate that was met again rests.
  state.rest = is_same and math.min(state.rest * 2, math.max(most_rest, 30 * pause)) or least_rest
  state.top, state.quiet = top, 0
  state.rate = top * (1 - decrease)
end

local function quicken(state)
  -- What a process of an earlier version learned is the rate alone.
  state.top, state.rest, state.quiet = state.top or state.rate, state.rest or least_rest, state.quiet or 0
  local x = math.max(-1, state.quiet / state.rest - 1)
  state.rate = state.top * math.min(1 + decrease * x * x * x, 1e6)
end
