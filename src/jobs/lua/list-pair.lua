-- With: jobs/shard, jobs/list-entries, jobs/pairs, jobs/entry-filter
-- Goes over the jobs of a shard that have a pair of metadata, newest first, for those that a filter may want, as list.lua goes
-- over lists.
-- KEYS: the set of pairs
-- Packed: hash of the pair, what the ids sort before ('' for the newest), and from which on, most jobs to look at, most jobs,
--   then as list.lua has them: named, seal, lines, pairs of lines, pairs of records, lists
-- Replies: {the last id looked at ('' when there are no more), how many jobs were looked at, {id …}}, all without their prefix
local hash, before, from, most_looked, most_jobs, named, seal, lines, pairs_of_lines, pairs_of_records, lists = unpack(packed())
local may_match = entry_filter(named, seal, lines, pairs_of_lines, pairs_of_records)

local function is_wanted(id, state)
  local entry = entry_in(list_of(state), id)
  for _, list in ipairs(lists) do
    if list_of(list[1]) == list_of(state) and (not entry or may_match(entry, list[2], list[3])) then return true end
  end
  return false
end

local first, last = pair_range(hash, before, from)
local members = redis.call('ZRANGE', PAIRS, last, first, 'BYLEX', 'REV', 'LIMIT', 0, most_looked)
local found, gone, end_at = {}, {}, #members
for i, member in ipairs(members) do
  local core = member:sub(HASHED + 1)
  local state = redis.call('HGET', record_of('job_' .. core), 'state')
  if not state then
    gone[#gone + 1] = member
  elseif is_wanted('job_' .. core, state) then
    found[#found + 1] = core
    if #found == most_jobs then
      end_at = i
      break
    end
  end
end
if #gone > 0 then redis.call('ZREM', PAIRS, unpack(gone)) end
local is_all = end_at == #members and #members < most_looked
return cmsgpack.pack({ is_all and '' or members[end_at]:sub(HASHED + 1), end_at, found })
