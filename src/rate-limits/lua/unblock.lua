-- Ends the time for which a provider asked to be left alone with a key, because an operator asks for it.
-- KEYS: limiter
-- ARGV: name of the limiter, channel
-- Replies: 0 when nothing is known of it, else how many processes of this node heard of it.
local fields = redis.call('HMGET', KEYS[1], 'learned', 'requests', 'tokens')
if not fields[1] then return 0 end
local learned = cjson.decode(fields[1])
learned.blocked_until = 0
redis.call('HSET', KEYS[1], 'learned', cjson.encode(learned))
for i, name in ipairs({ 'requests', 'tokens' }) do
  local state = fields[i + 1] and cjson.decode(fields[i + 1])
  if state then
    state.free_at = math.min(state.free_at, state.at)
    redis.call('HSET', KEYS[1], name, cjson.encode(state))
  end
end
return redis.call('PUBLISH', ARGV[2], ARGV[1])
