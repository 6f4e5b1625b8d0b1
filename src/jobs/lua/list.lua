-- Goes over lists of a shard's jobs, newest first, for those that a filter may want. The filter may let too many through
-- and none too few: the caller reads what it is given, and judges. All lists are read at one moment, and down to
-- the same place: a job that moves from one to another is met once.
-- KEYS: schedule
-- Packed: what the ids sort before ('' for the newest), the least score, most entries of each list, and of one whose
--   records are read, most jobs, how an entry goes on behind its id, for each list {state, {text that stands in the
--   entry …}, {{{field …}, {text, one of which stands in one of the fields …}} …} of the record}
-- Replies: {the last id looked at ('' when there are no more), how many entries were looked at, {id …}}, all without their
--   prefix
local before, oldest, most_entries, most_read, most_jobs, start, lists = unpack(packed())
local newest = before == '' and '+inf' or score_of(before .. '0')
local found, last, looked = {}, '', 0

local function has_one(texts, words)
  for _, text in ipairs(texts) do
    for _, word in ipairs(words) do if text and text:find(word, 1, true) then return true end end
  end
  return false
end

local function may_match(entry, texts, wanted)
  if start ~= '' and entry:find(start, 27, true) ~= 27 then return false end
  for _, text in ipairs(texts) do if not entry:find(text, 27, true) then return false end end
  if before ~= '' and entry >= before then return false end
  local record = #wanted > 0 and record_of('job_' .. entry:sub(1, 26))
  for _, want in ipairs(wanted) do
    if not has_one(redis.call('HMGET', record, unpack(want[1])), want[2]) then return false end
  end
  return true
end

for _, list in ipairs(lists) do
  local state, texts, wanted = unpack(list)
  local most = #wanted > 0 and most_read or most_entries
  local entries = redis.call('ZRANGE', list_of(state), newest, oldest, 'BYSCORE', 'REV', 'LIMIT', 0, most)
  local got = 0
  for _, entry in ipairs(entries) do
    looked = looked + 1
    if may_match(entry, texts, wanted) then
      found[#found + 1], got = entry:sub(1, 26), got + 1
      if got == most_jobs then break end
    end
  end
  local reached = got == most_jobs and found[#found] or #entries == most and entries[most]:sub(1, 26) or ''
  if reached > last then last, oldest = reached, score_of(reached) end
end

-- What a list has beyond the place to which all were read comes again.
table.sort(found, function(a, b) return a > b end)
while #found > 0 and found[#found] < last do found[#found] = nil end
while #found > most_jobs do
  found[#found], last = nil, found[most_jobs]
end
return cmsgpack.pack({ last, looked, found })
