-- Goes over entries of the index, newest first, for jobs that a filter may want. The filter may let too many
-- through and none too few: the caller reads what it is given, and judges.
-- KEYS: index
-- Packed: newest entry, most entries, most jobs, {state …} (none: any), tenant ('' for any), route ('' for any),
--   made from and to in Unix ms, {{{field …}, {text, one of which stands in one of the fields …}} …}
-- Replies: {the last entry looked at ('' when there are no more), {id, entry …}}
local newest, most, most_jobs, states, tenant, route, from, to, wanted = unpack(packed())
local fields, is_wanted, found, last = { 'state', 'tenant', 'spec' }, {}, {}, ''
for _, state in ipairs(states) do is_wanted[state] = true end
for _, want in ipairs(wanted) do
  for _, field in ipairs(want[1]) do fields[#fields + 1] = field end
end

local function has_one(texts, words)
  for _, text in ipairs(texts) do
    for _, word in ipairs(words) do if text and text:find(word, 1, true) then return true end end
  end
  return false
end

local function may_match(r)
  local state, whose, spec = r[1], r[2] or 'default', r[3]
  if not state or (#states > 0 and not is_wanted[state]) then return false end
  if tenant ~= '' and whose ~= tenant then return false end
  local created = tonumber(spec:match('^%d+'))
  if created < from or created >= to then return false end
  if route ~= '' and spec:match('^%S+ %S+ %S+ (.*)$') ~= route then return false end
  local at = 4
  for _, want in ipairs(wanted) do
    local texts = {}
    for i = 1, #want[1] do texts[i] = r[at] or '' at = at + 1 end
    if not has_one(texts, want[2]) then return false end
  end
  return true
end

local entries = redis.call('XREVRANGE', KEYS[1], newest, '-', 'COUNT', most)
local ended = #entries < most
for _, entry in ipairs(entries) do
  last = entry[1]
  local id = entry[2][2]
  if may_match(redis.call('HMGET', record_of(id), unpack(fields))) then
    found[#found + 1], found[#found + 2] = id, last
    if #found >= 2 * most_jobs then
      ended = false
      break
    end
  end
end
return cmsgpack.pack({ ended and '' or last, found })
