-- With: jobs/shard, jobs/route-like

-- Tells whether an entry may be of a job that a filter wants; it may let too many through, and none too few.
local function has_all(text, words)
  for _, word in ipairs(words) do if not text or not string.find(text, word, 1, true) then return false end end
  return true
end
local function has_one(text, words)
  for _, word in ipairs(words) do if text == word then return true end end
  return #words == 0
end

-- Named: {how an entry goes on behind its id, route, provider ('' for any)}; the other words are those of list.lua. The
-- filter that this returns says with a second value that it has read the job's record.
local function entry_filter(named, seal, lines, pairs_of_lines, pairs_of_records)
  local sub, match = string.sub, string.match
  local start, route, provider = unpack(named)
  local is_wanted, has_lines = route_like(route), #lines > 0
  return function(entry, why, states)
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
    local state, metadata = unpack(redis.call('HMGET', record_of('job_' .. sub(entry, 1, 26)), 'state', 'metadata'))
    return has_one(state, states) and has_all(metadata, pairs_of_records)
      and (is_sealed or has_all(metadata, pairs_of_lines)), true
  end
end
