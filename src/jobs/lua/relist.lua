-- Puts jobs of the index into the lists where they belong and do not stand: those that a version without lists made
-- or ended.
-- KEYS: index
-- Packed: first entry, most entries
-- Replies: {the last entry, or '' when there are no more}
local from, most = unpack(packed())

-- As `answererOf` says.
local function answered_by(target, final, log)
  local answered, calls = target, cjson.decode('[' .. (log or '') .. ']')
  for _, call in ipairs(final.attempts or {}) do calls[#calls + 1] = call end
  for _, call in ipairs(calls) do
    if call.verdict == 'ok' or call.verdict == 'refused' then answered = call.provider .. '/' .. call.model end
  end
  return final.cached or answered
end

local function settle(id)
  local record = record_of(id)
  local state = redis.call('HGET', record, 'state')
  if not state or FINAL[state] then unlist(list_of('open'), id) end
  if not state or entry_in(list_of(state), id) then return end
  local tenant, spec, target, result, log = unpack(redis.call('HMGET', record, 'tenant', 'spec', 'target', 'result', 'attempts'))
  if not FINAL[state] then return enlist(state, list_entry(id, tenant, spec)) end
  local final = cjson.decode(result)
  list_end(id, state, tenant, spec, answered_by(target, final, log), final.error and final.error.code)
end

local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', most)
for _, entry in ipairs(entries) do settle(entry[2][2]) end
return cmsgpack.pack({ #entries < tonumber(most) and '' or entries[#entries][1] })
