-- Says how many jobs of a shard have each of some pairs of metadata.
-- KEYS: the set of pairs
-- Packed: seal, what the ids sort before ('' for the newest), and from which on, {hash of a pair …}
-- Replies: {jobs …}; {} where the set may lack some
local seal, before, from, hashes = unpack(packed())
local is_walked = (redis.call('GET', BASE .. 'listed') or ''):find('^%d+ ' .. PAIRS_SINCE)
if not is_walked or not is_complete(seal) then return cmsgpack.pack({}) end
for i, hash in ipairs(hashes) do hashes[i] = redis.call('ZLEXCOUNT', PAIRS, pair_range(hash, before, from)) end
return cmsgpack.pack(hashes)
