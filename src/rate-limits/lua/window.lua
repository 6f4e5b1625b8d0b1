-- A sliding window counter: what one limiter let through, by the second in which it may be used, and from that what no
-- minute may hold besides. (Cf. "sliding window counter", Cloudflare 2017; here no part of a second is guessed.)
-- Times are ms.

-- What is let through is used half a second late at most, and its second may have begun just before.
local late, minute = 1500, 60000

-- The clock of a replica that took over may be behind: time then goes on from where it was.
local function go_on(state, clock)
  local now = math.max(clock + (state.ahead or 0), state.at or 0)
  state.at, state.ahead = now, now - clock
  return now
end

local function count(window, time, n)
  local second = string.format('%d', math.floor(time / 1000))
  window[second] = (window[second] or 0) + n
end

-- Counts `n` from `first` on, one each `gap`.
local function spread(window, first, gap, n)
  while n > 0 do
    local part = math.min(n, math.max(1, math.ceil((math.floor(first / 1000 + 1) * 1000 - first) / gap)))
    count(window, first, part)
    first, n = first + part * gap, n - part
  end
end

-- Answers what may still be let through in this minute, the most that may be let through each ms from now on so that no minute
-- ever holds more than `most`, and the ms until there is more. After a burst that is what is left, spread over the rest.
local function look(window, most, now)
  local second, used = math.floor(now / 1000), 0
  for name, n in pairs(window) do
    if (tonumber(name) + 1) * 1000 + late - 1000 + minute <= now then window[name] = nil else used = used + n end
  end
  local pace, there, soonest = most / (minute + 1000), used, minute
  for s = second - 61, second do
    local n, leaves = window[string.format('%d', s)] or 0, s * 1000 + late + minute - now
    if n ~= 0 and leaves > 0 then
      pace = math.min(pace, (most - there) / leaves)
      there = there - n
      if there < most then soonest = math.min(soonest, leaves) end
    end
  end
  return most - used, math.max(pace, 0), used < most and 0 or soonest
end
