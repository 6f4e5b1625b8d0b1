-- Lifts all that stands against a provider, its models and its keys, because an operator asks for it.
-- KEYS: board
-- ARGV: provider, channel
-- Replies: how many processes of this node heard of it.
local own = { ['provider:' .. ARGV[1]] = true }
local starts = { 'target:' .. ARGV[1] .. '/', 'key:' .. ARGV[1] .. '#' }
for _, scope in ipairs(redis.call('HKEYS', KEYS[1])) do
  local is_mine = own[scope]
  for _, start in ipairs(starts) do is_mine = is_mine or scope:sub(1, #start) == start end
  if is_mine then redis.call('HDEL', KEYS[1], scope) end
end
return redis.call('PUBLISH', ARGV[2], cjson.encode({ lifted = ARGV[1] }))
