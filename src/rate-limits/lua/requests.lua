-- With: rate-limits/window
-- Requests a minute of one limiter: slots for calls, each with its time. A sliding window counter (window.lua) says how many may
-- be made, and the generic cell rate algorithm (GCRA, ITU-T I.371) when: evenly, but that what an idle minute left may go at
-- once, as far as the provider lets that happen.
-- KEYS: limiter, names of all limiters
-- ARGV: process, request JSON, name of the limiter, channel
-- Replies: JSON; empty where nothing limits requests. A repetition after a lost reply leases twice: it costs a slice.
local ask = cjson.decode(ARGV[2])
local time = redis.call('TIME')
local fields = redis.call('HMGET', KEYS[1], 'requests', 'learned', 'active')
local state = fields[1] and cjson.decode(fields[1])
if not state then
  -- What was called before a limit was known counts.
  local before = redis.call('HGET', KEYS[1], 'concurrency')
  state = { free_at = 0, window = before and cjson.decode(before).begun or {} }
end
local learned = fields[2] and cjson.decode(fields[2]) or {}
local active = math.max(1, tonumber(fields[3] or 1))
local now = go_on(state, time[1] * 1000 + time[2] / 1000)
local blocked = learned.blocked_until or 0
-- Slots are let through this long before their time.
local horizon = 1000

local told = ask.told and ask.told.requests
if told then
  if told ~= state.told then
    state.bucket = nil
    redis.call('PUBLISH', ARGV[4], ARGV[3])
  end
  state.told, state.remaining, state.told_at = told, ask.told.remaining, now
  -- A bucket that never holds more than this takes no more at once.
  if ask.told.remaining then state.bucket = math.max(state.bucket or 0, ask.told.remaining + 1) end
end
if ask.pace then state.pace, state.pace_until = ask.pace.perMinute, now + ask.pace.forMs end

local by, limit = 'configured_limit', ask.rpm or math.huge
if state.told and state.told < math.min(limit, ask.belowRpm or math.huge) then by, limit = 'told_limit', state.told end
if learned.rate and learned.rate < limit then by, limit = 'learned_rate', learned.rate end
local paced = (state.pace_until or 0) > now and state.pace < limit
if paced then by = 'told_limit' end
local reply = {}
if limit < math.huge or paced then
  -- A little under the limit, as calls do not all take the same time on their way.
  local most = math.max(1, math.floor(math.min(limit, 1e9) * 0.995 + 0.5))
  local free, pace, wait = look(state.window, most, now)
  -- A rate that was learned is no promise about a minute: what was found too low must not hold back what comes later.
  if by == 'learned_rate' then most, free, pace, wait = limit, limit, limit / minute, 0 end
  free = math.max(0, math.floor(free))
  if paced then pace = math.min(pace, state.pace / 60000) end
  local even = paced or by == 'learned_rate' or (learned.even_until or 0) > now
  if even and not fields[1] then state.free_at = now end
  local bucket = even and 0 or state.bucket or most
  local burst = math.max(1, math.min(free, paced and 1 or math.max(bucket, most / 100)))
  -- What an idle time left goes at once, and the rest one each `gap`.
  local usual, gap = by == 'learned_rate' and minute / limit or (minute + 1000) / most, pace > 0 and 1 / pace or minute
  if paced then usual = gap end
  local first = math.max(state.free_at, now - (burst - 1) * usual, blocked)
  local idle = math.max(0, math.floor((now - first) / usual) + 1)
  local then_at = first + idle * usual
  local ready = math.max(0, math.min(free, idle + math.max(0, math.floor((now + horizon - then_at) / gap) + 1)))
  -- Until the calls under way say how much was too much, the rate is not known.
  if by == 'learned_rate' and learned.is_open then ready = 0 end
  -- Slots for calls that have yet to come are lost where they do not: no more of those than come in a second anyway.
  local wanted = ask.slots + math.min(ask.spareSlots, math.ceil(horizon / gap))
  local sum = math.min(wanted, ready, math.ceil(math.max(ready, horizon / gap) / active))
  local at_once = math.min(sum, idle)
  local slots = sum - at_once
  if at_once > 0 then count(state.window, now, at_once) end
  spread(state.window, then_at, gap, slots)
  reply = { atOnce = at_once, slots = slots, firstMs = then_at - now, everyMs = gap, by = by }
  -- A limit that was raised, or a Redis clock that jumped, must not leave slots far ahead.
  local next_at = slots > 0 and then_at + slots * gap or first + at_once * usual
  state.free_at = math.min(next_at, math.max(now, blocked) + horizon + 2 * gap)
  -- Who waits in vain gathers no burst.
  if ask.slots > ready then state.free_at = math.max(state.free_at, now - (ready - sum) * usual) end
  reply.nextMs = math.max(state.free_at - now, free - sum < 1 and wait or 0)
  if ask.slots > sum then state.short_at, state.by = now, by end
end
state.limit = limit < math.huge and limit or nil
if fields[1] or next(reply) or told then redis.call('HSET', KEYS[1], 'requests', cjson.encode(state)) end
return cjson.encode(reply)
