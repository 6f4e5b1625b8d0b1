-- Goes over lists of a shard's jobs, newest first, for those that a filter may want. The filter may let too many through
-- and none too few: the caller reads what it is given, and judges. All lists are read at one moment, and down to
-- the same place: a job that moves from one to another is met once.
-- KEYS: schedule
-- Packed: what the ids sort before ('' for the newest), the least score, most entries of each list, most records to read for
--   each, most jobs, {how an entry goes on behind its id, route, provider ('' for any)}, seal, {line of an indexed pair …},
--   {those pairs in a record …}, {pairs of which only records know …}, for each list {state, why (false for any), {state, one
--   of which the record has …}}
-- Replies: {the last id looked at ('' when there are no more), how many entries were looked at, {id …}}, all without their
--   prefix
local before, oldest, most_entries, most_read, most_jobs, named, seal, lines, pairs_of_lines, pairs_of_records, lists =
  unpack(packed())
-- A call by a local name, a loop without iterators: of 2,000 entries that are looked at, nearly all are passed over, and
-- these two are most of what that takes.
local find, sub, match = string.find, string.sub, string.match
local start, route, provider = unpack(named)
local is_wanted, has_star = route_like(route), find(route, '*', 1, true)
local newest = before == '' and '+inf' or score_of(before .. '0')
local found, last, looked, reads = {}, '', 0, 0
local has_lines = #lines > 0

local function has_all(text, words)
  for _, word in ipairs(words) do if not text or not find(text, word, 1, true) then return false end end
  return true
end
local function has_one(text, words)
  for _, word in ipairs(words) do if text == word then return true end end
  return #words == 0
end

-- The text that the fewest entries have. It may stand elsewhere in an entry.
local function rarest(why)
  if #lines > 0 then return lines[1] end
  if provider ~= '' then return '\n' .. provider .. '/' end
  if why and why ~= '' then return '\n' .. why .. '\n' end
  if start ~= '' then return start end
  if has_star then return '\n' .. sub(route, 1, has_star - 1) end
  return route ~= '' and '\n' .. route .. '\n' or '\n'
end

local function may_match(entry, why, states)
  if before ~= '' and entry >= before then return false end
  if start ~= '' and sub(entry, 27, 26 + #start) ~= start then return false end
  if why or provider ~= '' or route ~= '' then
    local has, target, says = match(entry, '^\n[^\n]*\n([^\n]*)\n([^\n]*)\n([^\n]*)\n', 27)
    if route ~= '' and has and not is_wanted(has) then return false end
    if provider ~= '' and has and sub(target, 1, #provider + 1) ~= provider .. '/' then return false end
    if why and has and says ~= why then return false end
  end
  local is_sealed = has_lines and sub(entry, -#seal) == seal
  if is_sealed and not has_all(entry, lines) then return false end
  if (is_sealed or not has_lines) and #pairs_of_records == 0 and #states == 0 then return true end
  reads = reads + 1
  local state, metadata = unpack(redis.call('HMGET', record_of('job_' .. sub(entry, 1, 26)), 'state', 'metadata'))
  return has_one(state, states) and has_all(metadata, pairs_of_records) and (is_sealed or has_all(metadata, pairs_of_lines))
end

for _, list in ipairs(lists) do
  local state, why, states = unpack(list)
  local entries = redis.call('ZRANGE', list_of(state), newest, oldest, 'BYSCORE', 'REV', 'LIMIT', 0, most_entries)
  local rare, got, end_at = rarest(why), 0, #entries
  reads = 0
  for i = 1, #entries do
    local entry = entries[i]
    if find(entry, rare, 27, true) or has_lines and not find(entry, seal, 27, true) then
      if may_match(entry, why, states) then found[#found + 1], got = sub(entry, 1, 26), got + 1 end
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
