-- With: rate-limits/ceiling, rate-limits/episodes
-- Calls at once of one limiter: which of its processes are there, and each one's share of what may be at once. What is
-- configured is held as it is; where nothing tells a limit, the ceiling finds itself (ceiling.lua).
-- KEYS: limiter, names of all limiters
-- ARGV: process, request JSON, name of the limiter, channel
-- Replies: JSON.
local ask = cjson.decode(ARGV[2])
local time = redis.call('TIME')
local fields = redis.call('HMGET', KEYS[1], 'concurrency', 'learned', 'active')
local state = fields[1] and cjson.decode(fields[1]) or new_ceiling()
local learned = fields[2] and cjson.decode(fields[2]) or {}
local clock = time[1] * 1000 + time[2] / 1000
-- The clock of a replica that took over may be behind: time then goes on from where it was.
local now = math.max(clock + (state.ahead or 0), state.at or 0)
state.at, state.ahead = now, now - clock
local rate, epoch, blocked_until = state.rate, state.epoch, learned.blocked_until or 0

-- The other processes. A killed one is forgotten when the lease of its share has run out.
local me = state.procs[ARGV[1]] or { share = 0 }
local calling, held, want, active = ask.calling, 0, ask.calling + ask.waiting, 1
local others = {}
for name, proc in pairs(state.procs) do
  if name ~= ARGV[1] and now - proc.at > 5000 then state.procs[name] = nil
  elseif name ~= ARGV[1] then
    others[#others + 1] = proc
    calling, held, want = calling + proc.calling, held + math.max(proc.share, proc.calling), want + proc.want
    if proc.want > 0 then active = active + 1 end
  end
end

-- Only ever extended: a second, shorter answer must not cut the first one short.
learned.blocked_until = math.max(blocked_until, ask.blockMs > 0 and now + ask.blockMs or 0)
state.ceiling = state.ceiling or ask.first
local is_struck = ask.isTold and ask.turnedAway > 0
if is_struck and ask.throttled == state.epoch and now - (state.struck_at or 0) >= 1000 then
  -- Where limits are told, a 429 speaks of a burst: an hour without any. One now and then is chance, three soon after say more.
  state.strikes = now - (state.struck_at or 0) < 30000 and (state.strikes or 0) + 1 or 1
  learned.even_until, state.struck_at = now + 3600000, now
  if state.strikes < 3 then state.epoch = state.epoch + 1 end
end
if ask.learns and (state.ceiling or ask.turnedAway > 0 and calling > 0) and not (is_struck and (state.strikes or 0) < 3) then
  state.ceiling = state.ceiling or ask.calling + held
  step(state, ask, math.max(ask.calling, ask.peak - ask.turnedAway) + held, calling, want, now, learned.blocked_until)
  if ask.most then state.ceiling = math.min(state.ceiling, ask.most) end
end
learned.rate, learned.is_open = state.rate, state.is_open

-- The share of this process. Where a rate is told or was met, a ceiling holds only once a number at once was met as well.
local is_rated = ask.isTold or state.rate and ask.isRated
local ceiling = state.ceiling and (state.met or state.is_open or not is_rated) and math.floor(state.ceiling) or math.huge
local most = math.min(ask.concurrency or math.huge, ceiling)
local reply = { epoch = state.epoch, blockedMs = math.max(0, learned.blocked_until - now), active = active }
reply.ceiling, reply.isRated = state.ceiling and math.floor(state.ceiling), state.rate ~= nil
me.at, me.calling, me.want, me.share = now, ask.calling, ask.calling + ask.waiting, 0
if most < math.huge then
  local fair, is_starving = most / active, false
  for _, proc in ipairs(others) do
    if proc.share < math.min(proc.want, math.max(1, math.floor(fair))) then is_starving = true end
  end
  me.share = math.min(me.want + ask.spare, math.max(0, most - held))
  -- A process with more than its part gives back when others have less. Where there are more processes than calls, they take
  -- turns.
  if is_starving then
    local had_turn = ask.calling > 0 or me.turn
    me.share = math.min(me.share, fair >= 1 and math.floor(fair) or had_turn and 0 or 1)
  end
  me.turn = me.share > 0 or ask.calling > 0
  reply.share, reply.isStarting = me.share, ceiling == most and state.starting and not state.rate
  state.by, state.most = ceiling == most and 'learned_ceiling' or 'configured_limit', most
  if me.want > me.share then state.short_at = now end
end
state.procs[ARGV[1]] = me

redis.call('HSET', KEYS[1], 'concurrency', cjson.encode(state), 'learned', cjson.encode(learned), 'active', active)
redis.call('PEXPIRE', KEYS[1], 7 * 86400000)
if not fields[1] then redis.call('SADD', KEYS[2], ARGV[3]) end
local is_news = learned.blocked_until > blocked_until or state.epoch > epoch or (state.rate == nil) ~= (rate == nil)
if is_news then redis.call('PUBLISH', ARGV[4], ARGV[3]) end
return cjson.encode(reply)
