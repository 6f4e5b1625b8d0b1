-- With: jobs/shard, jobs/final, jobs/list-entries, jobs/kinds, jobs/pairs
-- Puts jobs of the index into the lists where they belong and do not stand, or not as they should: those that another
-- version made or ended, or a process that indexes other metadata.
-- KEYS: index
-- Packed: first entry, most entries, seal, bytes of the longest value that is indexed as it is, 1 when no process makes jobs
--   any more that knows nothing of the set of pairs, key …
-- Replies: {the last entry, or '' when there are no more}
local words = packed()
local from, most, seal, longest, all_pair = unpack(words, 1, 5)

-- The pair's value as the JSON of a record has it. An unescaped quote begins or ends a text, so nothing else looks like a key.
local function value_of(metadata, key)
  local name = '"' .. key .. '":'
  local start = select(2, metadata:find('{' .. name, 1, true)) or select(2, metadata:find(',' .. name, 1, true))
  if not start then return nil end
  local stop = start + 1
  repeat
    stop = metadata:find('["\\]', stop + 1)
    local is_escaped = metadata:sub(stop, stop) == '\\'
    if is_escaped then stop = stop + 1 end
  until not is_escaped
  return metadata:sub(start + 1, stop)
end

-- As `linesOf` in list-entry.ts has them.
local function lines_of(metadata)
  local lines = ''
  for i = 6, #words do
    local value = value_of(metadata or '', words[i])
    if value and #value > longest then value = redis.sha1hex(value) end
    if value then lines = lines .. '"' .. words[i] .. '":' .. value .. '\n' end
  end
  return lines .. seal
end

-- As `answererOf` says.
local function answered_by(target, final, log)
  local answered, calls = target, cjson.decode('[' .. (log or '') .. ']')
  for _, call in ipairs(final.attempts or {}) do calls[#calls + 1] = call end
  for _, call in ipairs(calls) do
    if call.verdict == 'ok' or call.verdict == 'refused' then answered = call.provider .. '/' .. call.model end
  end
  return final.cached or answered
end

local function put(state, found, entry)
  note_kind(state, entry)
  if found == entry then return end
  if found then redis.call('ZREM', list_of(state), found) end
  redis.call('ZADD', list_of(state), score_of(entry), entry)
end

local function settle(id)
  local record = record_of(id)
  local r = redis.call('HMGET', record, 'state', 'tenant', 'spec', 'target', 'result', 'attempts', 'metadata', 'indexed')
  local state, tenant, spec, target, result, log, metadata, was_indexed = unpack(r, 1, 8)
  if not state or FINAL[state] then unlist(list_of('open'), id) end
  if not state then return end
  local list, indexed = list_of(state), lines_of(metadata)
  note_pairs(id:sub(5), tenant or '', indexed)
  if indexed ~= (was_indexed or '') then
    if indexed == '' then redis.call('HDEL', record, 'indexed') else redis.call('HSET', record, 'indexed', indexed) end
  end
  local found = entry_in(list, id)
  if not FINAL[state] then return put(state, found, list_entry(id, tenant, spec, target, is_parked(state), indexed)) end
  if found and found:sub(-#indexed - 1) == '\n' .. indexed then return put(state, found, found) end
  local final = cjson.decode(result)
  put(state, found, list_entry(id, tenant, spec, answered_by(target, final, log), final.error and final.error.code, indexed))
end

local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', most)
for _, entry in ipairs(entries) do settle(entry[2][2]) end
write_pairs()
local is_end, is_new = #entries < tonumber(most), from == '-' and #entries == 0
local mark = seal:match('#%x+')
-- Jobs that were made meanwhile stand at the end of the index, and no member is taken away while its job is there.
if all_pair ~= 1 and not is_new then redis.call('ZREM', PAIRS, TENANTS, mark or TENANTS)
elseif is_end then redis.call('ZADD', PAIRS, 0, TENANTS, 0, mark or TENANTS) end
return cmsgpack.pack({ is_end and '' or entries[#entries][1] })
