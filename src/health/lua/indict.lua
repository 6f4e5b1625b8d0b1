-- Keeps a scope out of use until a time. A deadline is only ever extended: a second, shorter answer of the
-- same provider must not cut the first one short.
-- KEYS: board
-- ARGV: scope, until, now, entry JSON, channel
-- Replies: 1 when the board changed, else 0.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known).untilMs >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[4])
return 1
