-- Keeps a scope out of use until a time. A deadline is only ever extended: a second, shorter answer of the
-- same provider must not cut the first one short.
-- KEYS: board
-- ARGV: scope, until, now, entry JSON, channel, how many entries are kept
-- Replies: 1 when the board changed, else 0.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known).untilMs >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
-- Clients may name the models behind a wildcard: of too many entries those that have ended go, then models that end soonest.
local most = tonumber(ARGV[6])
local excess = redis.call('HLEN', KEYS[1]) - most
if excess > 0 then
  -- By some more than there are too many, so that this is not done for each.
  excess = excess + math.floor(most / 10)
  local models = {}
  local board = redis.call('HGETALL', KEYS[1])
  for i = 1, #board, 2 do
    local ends = cjson.decode(board[i + 1]).untilMs
    if ends <= tonumber(ARGV[3]) then
      redis.call('HDEL', KEYS[1], board[i])
      excess = excess - 1
    elseif board[i]:sub(1, 7) == 'target:' and board[i] ~= ARGV[1] then
      table.insert(models, { board[i], ends })
    end
  end
  table.sort(models, function(a, b) return a[2] < b[2] end)
  for i = 1, math.min(excess, #models) do redis.call('HDEL', KEYS[1], models[i][1]) end
end
redis.call('PUBLISH', ARGV[5], ARGV[4])
return 1
