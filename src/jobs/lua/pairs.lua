
-- Jobs by the pairs of metadata that are indexed: a member of this set is the hash of a pair's line, and behind it the id of
-- a job that has it, without its prefix. All scores are 0, so that those of one pair stand together in the order of their
-- ids. Metadata never changes, so a member is right from the making of its job to the end of its record, and costs nothing
-- between. One set for all pairs, so that it can be gone over, and loses those whose jobs are gone.
local PAIRS, HASHED, PAIRS_SINCE = BASE .. 'pairs', 12, '4'
local function pair_members(core, lines)
  local members = {}
  for line in lines:gmatch('("[^\n]*)\n') do members[#members + 1] = redis.sha1hex(line):sub(1, HASHED) .. core end
  return members
end

-- A script notes them, and writes them once.
local paired = {}
local function note_pairs(core, lines)
  for _, member in ipairs(pair_members(core, lines)) do paired[#paired + 1], paired[#paired + 2] = 0, member end
end
local function write_pairs()
  for i = 1, #paired, 1000 do redis.call('ZADD', PAIRS, unpack(paired, i, math.min(i + 999, #paired))) end
end
local function forget_pairs(core, lines)
  for _, member in ipairs(pair_members(core, lines)) do redis.call('ZREM', PAIRS, member) end
end

-- A seal among the members, which stand behind it, says that the set has every job of the shard by the keys that this seal
-- names. A job that is made with other keys takes it away.
local function is_complete(seal) return seal ~= '' and redis.call('ZSCORE', PAIRS, seal) ~= false end
local function break_other_seals(seal)
  for _, other in ipairs(redis.call('ZRANGE', PAIRS, '-', '(0', 'BYLEX')) do
    if other ~= seal then redis.call('ZREM', PAIRS, other) end
  end
end

-- Where those of a pair stand whose ids sort before the one ('' for all), and from the other on, as ZRANGE takes it.
local function pair_range(hash, before, from)
  return '[' .. hash .. from, '(' .. hash .. (before == '' and '~' or before)
end
