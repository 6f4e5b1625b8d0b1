-- With: jobs/shard, jobs/list-entries, jobs/pairs
-- Says how many jobs of a shard each of some sets has, and how many entries the lists that would be gone over in their place.
-- KEYS: the set of pairs
-- Packed: seal, what the ids sort before ('' for the newest), and from which on, the least score, {hash of a pair …},
--   {hash of a tenant …}, {state of a list …}, how far leases reach (0 where they are not asked for)
-- Replies: {jobs …, of a set that may lack some -1}, entries
local seal, before, from, oldest, of_pairs, of_tenants, states, leases = unpack(packed())
local is_walked = (redis.call('GET', BASE .. 'listed') or ''):find('^%d+ ' .. PAIRS_SINCE)
local sizes, entries = {}, 0

local function weigh(hashes, is_known)
  for _, hash in ipairs(hashes) do
    sizes[#sizes + 1] = is_known and redis.call('ZLEXCOUNT', PAIRS, pair_range(hash, before, from)) or -1
  end
end
weigh(of_pairs, is_walked and is_complete(seal))
weigh(of_tenants, is_walked and is_complete(TENANTS))

local newest = before == '' and '+inf' or score_of(before .. '0')
for _, state in ipairs(states) do entries = entries + redis.call('ZCOUNT', list_of(state), oldest, newest) end
if leases > 0 then entries = entries + redis.call('ZCOUNT', BASE .. 'schedule', '-inf', leases) end
return cmsgpack.pack({ sizes, entries })
