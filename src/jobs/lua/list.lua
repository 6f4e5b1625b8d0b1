-- With: jobs/shard, jobs/list-entries, jobs/entry-filter
-- Goes over lists of a shard's jobs, newest first, for those that a filter may want. The filter may let too many through
-- and none too few: the caller reads what it is given, and judges. All lists are read at one moment, and down to
-- the same place: a job that moves from one to another is met once.
-- KEYS: schedule
-- Packed: what the ids sort before ('' for the newest), the least score, most entries of each list and of all together, most
--   records to read for them, most jobs, {how an entry goes on behind its id, route, provider ('' for any)}, seal, {line of an indexed pair …},
--   {those pairs in a record …}, {pairs of which only records know …}, for each list {state, why (false for any), {state, one
--   of which the record has …}}
-- Replies: {the last id looked at ('' when there are no more), how many entries were looked at, {id …}}, all without their
--   prefix
local before, oldest, most_entries, most_together, most_read, most_jobs, named, seal, lines, pairs_of_lines, pairs_of_records,
  lists = unpack(packed())
-- A call by a local name, a loop without iterators: of 2,000 entries that are looked at, nearly all are passed over, and
-- these two are most of what that takes.
local find, sub = string.find, string.sub
local start, route, provider = unpack(named)
local has_star = find(route, '*', 1, true)
local newest = before == '' and '+inf' or score_of(before .. '0')
local found, last, looked = {}, '', 0
local has_lines = #lines > 0

-- The text that the fewest entries have. It may stand elsewhere in an entry.
local function rarest(why)
  if #lines > 0 then return lines[1] end
  if provider ~= '' then return '\n' .. provider .. '/' end
  if why and why ~= '' then return '\n' .. why .. '\n' end
  if start ~= '' then return start end
  if has_star then return '\n' .. sub(route, 1, has_star - 1) end
  return route ~= '' and '\n' .. route .. '\n' or '\n'
end

local may_match = entry_filter(named, seal, lines, pairs_of_lines, pairs_of_records)

-- Those that have anything there share what may be looked at.
local sharing = 0
for _, list in ipairs(lists) do
  if redis.call('ZCOUNT', list_of(list[1]), oldest, newest) > 0 then sharing = sharing + 1 end
end
most_entries = math.min(most_entries, math.floor(most_together / math.max(1, sharing)))
most_read = math.floor(most_read / math.max(1, sharing))

for _, list in ipairs(lists) do
  local state, why, states = unpack(list)
  local entries = redis.call('ZRANGE', list_of(state), newest, oldest, 'BYSCORE', 'REV', 'LIMIT', 0, most_entries)
  local rare, got, reads, end_at = rarest(why), 0, 0, #entries
  for i = 1, #entries do
    local entry = entries[i]
    local is_rare = find(entry, rare, 27, true) or has_lines and not find(entry, seal, 27, true)
    if is_rare and (before == '' or entry < before) then
      local matches, was_read = may_match(entry, why, states)
      if matches then found[#found + 1], got = sub(entry, 1, 26), got + 1 end
      if was_read then reads = reads + 1 end
      if got == most_jobs or reads == most_read then
        end_at = i
        break
      end
    end
  end
  looked = looked + end_at
  local is_all = end_at == #entries and #entries < most_entries
  local reached = is_all and '' or sub(entries[end_at], 1, 26)
  if reached > last then last, oldest = reached, score_of(reached) end
end

-- What a list has beyond the place to which all were read comes again.
table.sort(found, function(a, b) return a > b end)
while #found > 0 and found[#found] < last do found[#found] = nil end
while #found > most_jobs do
  found[#found], last = nil, found[most_jobs]
end
return cmsgpack.pack({ last, looked, found })
