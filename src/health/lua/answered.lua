-- Notes that models behind a wildcard were answered; of too many, the ones that were answered longest ago are forgotten, and
-- what was known of their health with them.
-- KEYS: answered models of a provider, circuits, windows
-- ARGV: provider, now, how many are kept, then the models
-- Replies: nothing.
for i = 4, #ARGV do redis.call('ZADD', KEYS[1], ARGV[2], ARGV[i]) end
local many = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
if many <= 0 then return end
for _, model in ipairs(redis.call('ZRANGE', KEYS[1], 0, many - 1)) do
  local circuit = ARGV[1] .. '/' .. model
  redis.call('ZREM', KEYS[1], model)
  redis.call('HDEL', KEYS[2], circuit)
  redis.call('HDEL', KEYS[3], circuit, '~' .. circuit)
end
