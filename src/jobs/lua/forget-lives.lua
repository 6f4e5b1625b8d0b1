-- Forgets a block of which no live job was found anywhere, unless one was counted since.
-- KEYS: live
-- ARGV: block, how many it counted when the search began
-- Replies: nothing.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
