-- Leases a slice of what one meter has to one process, and takes in what that process saw. All processes go
-- by one clock, that of Redis, so what is leased is given as milliseconds from now.
-- KEYS: meter, names of all meters
-- ARGV: name of the meter, channel, process, request JSON
-- Replies: JSON. A repetition after a lost reply leases twice: that costs a slice and never exceeds a limit.
local ask = cjson.decode(ARGV[4])
local time = redis.call('TIME')
local clock = time[1] * 1000 + time[2] / 1000
local known = redis.call('GET', KEYS[1])
-- Times are counted from `base`: cjson keeps 14 digits, too few for fractions of a millisecond since 1970.
local meter = known and cjson.decode(known)
  or { base = math.floor(clock), at = 0, requestsAt = 0, tokensAt = 0, blockedUntil = 0, epoch = 0, procs = {} }
local now = clock - meter.base
-- The clock of a replica that took over may be behind: time then goes on from where it was.
if now < meter.at then
  meter.base = math.floor(clock - meter.at)
  now = meter.at
end
meter.at = now
local news = false

-- Aims a little under the limit, and lets a hundredth of a minute's worth come at once after a pause, so that
-- even with slots that are used late no 60 s hold more than the limit.
local aim, burst_share = 0.98, 0.01
-- A slice covers the coming second, in ms.
local horizon = 1000

-- 1. What was seen.
if ask.told then
  local requests, tokens = ask.told.requests, ask.told.tokens
  if requests and requests ~= meter.rpm or tokens and tokens ~= meter.tpm then news = true end
  meter.rpm, meter.tpm = requests or meter.rpm, tokens or meter.tpm
  meter.remaining, meter.remainingTokens = ask.told.remaining, ask.told.remainingTokens
  meter.toldAt = now
end
if ask.pace then meter.pace, meter.paceUntil = ask.pace.perMinute, now + ask.pace.forMs end
if ask.tokenPace then meter.tokenPace, meter.tokenPaceUntil = ask.tokenPace.perMinute, now + ask.tokenPace.forMs end
-- Only ever extended: a second, shorter answer must not cut the first one short.
if ask.blockMs > 0 and now + ask.blockMs > meter.blockedUntil then
  meter.blockedUntil = now + ask.blockMs
  news = true
end

-- 2. The other processes. A killed one is forgotten when the lease of its share has run out.
local me = meter.procs[ARGV[3]]
local is_new = me == nil
me = me or { share = 0 }
local calling, held, active, starving = ask.calling, 0, 1, false
for name, proc in pairs(meter.procs) do
  if name ~= ARGV[3] then
    if now - proc.at > 5000 then
      meter.procs[name] = nil
    else
      calling = calling + proc.calling
      held = held + math.max(proc.share, proc.calling)
      if proc.want > 0 then active = active + 1 end
    end
  end
end

-- 3. The ceiling of calls at once: halved once for each episode of throttling, raised while it is used.
if ask.throttled >= 0 and ask.throttled == meter.epoch and now - (meter.halvedAt or -1000) >= 1000 then
  -- A single call cannot have been too many at once.
  if meter.ceiling or calling > 0 then
    local level = meter.ceiling and math.max(meter.ceiling / 2, math.min(meter.ceiling, calling + 1)) or calling + 1
    meter.isFirst = meter.ceiling == nil
    meter.top, meter.ceiling = level, math.max(1, math.floor((meter.ceiling or level) / 2))
  end
  meter.epoch, meter.halvedAt, meter.raisedAt = meter.epoch + 1, now, now
  news = true
elseif meter.ceiling and is_new and meter.isFirst and now - meter.halvedAt < 2000 then
  -- The first halving knew the calls of one process only: each of the others adds its half.
  meter.top, meter.ceiling = meter.top + ask.calling, meter.ceiling + math.floor(ask.calling / 2)
elseif meter.ceiling and ask.succeeded and calling + ask.waiting >= math.floor(meter.ceiling) then
  -- The ceiling grows fast where calls worked before, slowly near to where they did not, and faster again
  -- beyond.
  local far = 0.9 * meter.top - meter.ceiling
  if now - meter.raisedAt >= (far > 0 and 500 or 2000) then
    meter.ceiling = meter.ceiling + math.max(1, far > 0 and far / 8 or (meter.ceiling - meter.top) / 2)
    meter.raisedAt = now
  end
end
if meter.ceiling then
  if ask.most then meter.ceiling = math.min(meter.ceiling, ask.most) end
  if now - meter.halvedAt > 600000 then
    meter.ceiling, meter.top = nil, nil
  end
end

-- 4. Slots for requests, at an even pace.
local function rate(configured, learned, below, pace, until_ms)
  local least = configured or math.huge
  if learned and learned < (below or math.huge) then least = math.min(least, learned) end
  if pace and until_ms > now then least = math.min(least, pace) end
  return least < math.huge and least or nil
end
local reply = { slots = 0, epoch = meter.epoch, blockedMs = math.max(0, meter.blockedUntil - now) }
local rpm = rate(ask.rpm, meter.rpm, ask.belowRpm, meter.pace, meter.paceUntil)
if rpm then
  local interval = 60000 / (rpm * aim)
  local burst = math.max(1, rpm * burst_share)
  local next_at = math.max(meter.requestsAt, now - (burst - 1) * interval, meter.blockedUntil)
  local most = math.floor((now + horizon - next_at) / interval) + 1
  local fair = math.max(1, math.ceil(horizon / interval / active))
  local slots = math.max(0, math.min(ask.slots, most, fair))
  reply.slots, reply.firstMs, reply.everyMs = slots, next_at - now, interval
  next_at = next_at + slots * interval
  -- A limit that was raised, or a Redis clock that jumped, must not leave slots far ahead.
  meter.requestsAt = math.min(next_at, math.max(now, meter.blockedUntil) + horizon + 2 * interval)
  reply.nextMs = meter.requestsAt - now
end

-- 5. Tokens, with a debt for what was used beyond the estimates.
local tpm = rate(ask.tpm, meter.tpm, ask.belowTpm, meter.tokenPace, meter.tokenPaceUntil)
if tpm then
  local each = 60000 / (tpm * aim)
  local next_at = math.max(meter.tokensAt + ask.spent * each, now - 60000 * burst_share, meter.blockedUntil)
  if ask.tokens > 0 and next_at <= now + horizon then
    -- A request that is larger than a slice is served whole, and what it owes is waited for afterwards.
    local tokens = math.min(ask.tokens, math.max(ask.leastTokens, horizon / each / active))
    reply.tokens, reply.tokensMs = tokens, math.max(0, next_at - now)
    next_at = next_at + tokens * each
  end
  meter.tokensAt = math.min(next_at, now + 600000)
  reply.nextTokensMs = meter.tokensAt - now
end

-- 6. A share of the calls at once.
local ceiling = math.min(ask.concurrency or math.huge, meter.ceiling and math.floor(meter.ceiling) or math.huge)
local want = ask.calling + ask.waiting
if ceiling < math.huge then
  local fair = ceiling / active
  for name, proc in pairs(meter.procs) do
    local due = math.min(proc.want, math.max(1, math.floor(fair)))
    if name ~= ARGV[3] and proc.share < due then starving = true end
  end
  local free = math.max(0, ceiling - held)
  local share = math.min(want + ask.spare, free)
  -- A process with more than its part gives back when others have less. Where there are more processes than
  -- calls, they take turns.
  if starving then
    local had_turn = ask.calling > 0 or me.turn
    share = math.min(share, fair >= 1 and math.floor(fair) or had_turn and 0 or 1)
  end
  me.turn = share > 0 or ask.calling > 0
  me.share, reply.share = share, share
else
  me.share = 0
end

me.at, me.calling, me.want = now, ask.calling, want
meter.procs[ARGV[3]] = me
reply.rpm, reply.tpm, reply.ceiling = meter.rpm, meter.tpm, meter.ceiling and math.floor(meter.ceiling)
redis.call('SET', KEYS[1], cjson.encode(meter), 'PX', 7 * 86400000)
if not known then redis.call('SADD', KEYS[2], ARGV[1]) end
if news then redis.call('PUBLISH', ARGV[2], ARGV[1]) end
return cjson.encode(reply)
