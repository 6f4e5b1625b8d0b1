-- An operator says that a key can be called with again: the time that its provider asked to be left alone is over.
-- KEYS: meter   ARGV: name of the meter, channel
local known = redis.call('GET', KEYS[1])
if not known then return 0 end
local meter = cjson.decode(known)
meter.blockedUntil = 0
meter.requestsAt, meter.tokensAt = math.min(meter.requestsAt, meter.at), math.min(meter.tokensAt, meter.at)
redis.call('SET', KEYS[1], cjson.encode(meter), 'KEEPTTL')
return redis.call('PUBLISH', ARGV[2], ARGV[1])
