-- Ends the time for which a provider asked to be left alone with a key, because an operator asks for it.
-- KEYS: meter
-- ARGV: name of the meter, channel
-- Replies: 0 when there is no such meter, else how many processes of this node heard of it.
local known = redis.call('GET', KEYS[1])
if not known then return 0 end
local meter = cjson.decode(known)
meter.blockedUntil = 0
meter.requestsAt, meter.tokensAt = math.min(meter.requestsAt, meter.at), math.min(meter.tokensAt, meter.at)
redis.call('SET', KEYS[1], cjson.encode(meter), 'KEEPTTL')
return redis.call('PUBLISH', ARGV[2], ARGV[1])
