-- With: rate-limits/window
-- Tokens a minute of one limiter: a token bucket with debt. A request is let through whole while nothing is owed, and what
-- it takes beyond the bucket, or used beyond its estimate, is waited for afterwards. The bucket holds what is left of the
-- minute (window.lua), so that an idle minute's worth may go at once, as far as the provider lets that happen.
-- KEYS: limiter, names of all limiters
-- ARGV: process, request JSON, name of the limiter, channel
-- Replies: JSON; empty where nothing limits tokens.
local ask = cjson.decode(ARGV[2])
local time = redis.call('TIME')
local fields = redis.call('HMGET', KEYS[1], 'tokens', 'learned', 'active')
local state = fields[1] and cjson.decode(fields[1]) or { free_at = 0, window = {} }
local learned = fields[2] and cjson.decode(fields[2]) or {}
local active = math.max(1, tonumber(fields[3] or 1))
local now = go_on(state, time[1] * 1000 + time[2] / 1000)
local horizon = 1000

local told = ask.told and ask.told.tokens
if told then
  if told ~= state.told then redis.call('PUBLISH', ARGV[4], ARGV[3]) end
  state.told, state.remaining, state.told_at = told, ask.told.remainingTokens, now
end
if ask.tokenPace then state.pace, state.pace_until = ask.tokenPace.perMinute, now + ask.tokenPace.forMs end

local by, limit = 'configured_limit', ask.tpm or math.huge
if state.told and state.told < math.min(limit, ask.belowTpm or math.huge) then by, limit = 'told_limit', state.told end
local paced = (state.pace_until or 0) > now and state.pace < limit
if paced then by = 'told_limit' end
local reply = {}
if limit < math.huge or paced then
  local most = math.min(limit, 1e12) * 0.99
  if ask.spent ~= 0 then count(state.window, now, ask.spent) end
  local free, pace, wait = look(state.window, most, now)
  if paced then pace = math.min(pace, state.pace / 60000) end
  local even = paced or (learned.even_until or 0) > now
  local each = pace > 0 and 1 / pace or 60000
  local bucket = math.max(0, math.min(free, even and most / 100 or most))
  local first = math.max(state.free_at + ask.spent * each, now - bucket * each, learned.blocked_until or 0)
  if ask.tokens > 0 and first <= now + horizon and free > 0 then
    local ready = (now + horizon - first) / each / active
    local tokens = math.min(ask.tokens, math.max(ask.leastTokens, ready))
    reply.tokens, reply.tokensMs = tokens, math.max(0, first - now)
    count(state.window, now, tokens)
    first, free = first + tokens * each, free - tokens
  end
  state.free_at = math.min(first, now + 600000)
  reply.nextTokensMs = math.max(0, state.free_at - now, free <= 0 and wait or 0)
  if ask.leastTokens > 0 and not reply.tokens then state.short_at, state.by = now, by end
end
state.limit = limit < math.huge and limit or nil
if fields[1] or next(reply) or told then redis.call('HSET', KEYS[1], 'tokens', cjson.encode(state)) end
return cjson.encode(reply)
