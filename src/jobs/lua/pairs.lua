-- With: jobs/shard

-- Jobs by what never changes of them: the pairs of metadata that are indexed, and the tenant, but for the default. A member of
-- this set is the hash of a pair's line, or of a tenant, and behind it the id of a job that has it, without its prefix. All
-- scores are 0, so that those of one hash stand together in the order of their ids. So a member is right from the making of its
-- job to the end of its record, and costs nothing between. One set for all, so that it can be gone over, and loses those whose
-- jobs are gone.
local PAIRS, HASHED, PAIRS_SINCE = BASE .. 'pairs', 12, '5'
-- Jobs that are made together often have the same.
local hashes = {}
local function hash_of(text)
  hashes[text] = hashes[text] or redis.sha1hex(text):sub(1, HASHED)
  return hashes[text]
end
local function pair_members(core, tenant, lines)
  local members = {}
  -- The line of a pair begins with a quote.
  if tenant ~= '' then members[1] = hash_of('@' .. tenant) .. core end
  for line in lines:gmatch('("[^\n]*)\n') do members[#members + 1] = hash_of(line) .. core end
  return members
end

-- A script notes them, and writes them once.
local paired = {}
local function note_pairs(core, tenant, lines)
  for _, member in ipairs(pair_members(core, tenant, lines)) do paired[#paired + 1], paired[#paired + 2] = 0, member end
end
local function write_pairs()
  for i = 1, #paired, 1000 do redis.call('ZADD', PAIRS, unpack(paired, i, math.min(i + 999, #paired))) end
end
local function forget_pairs(core, tenant, lines)
  for _, member in ipairs(pair_members(core, tenant, lines)) do redis.call('ZREM', PAIRS, member) end
end

-- A seal among the members, which stand behind it, says that the set has every job of the shard by the keys that this seal
-- names. A job that is made with other keys takes it away. Another, behind them, says so of tenants.
local TENANTS = 'tenants'
local function is_complete(seal) return seal ~= '' and redis.call('ZSCORE', PAIRS, seal) ~= false end
local function break_other_seals(seal)
  for _, other in ipairs(redis.call('ZRANGE', PAIRS, '-', '(0', 'BYLEX')) do
    if other ~= seal then redis.call('ZREM', PAIRS, other) end
  end
end

-- Where those of a hash stand whose ids sort before the one ('' for all), and from the other on, as ZRANGE takes it.
local function pair_range(hash, before, from)
  return '[' .. hash .. from, '(' .. hash .. (before == '' and '~' or before)
end
