-- With: jobs/list-entries, jobs/kinds
-- A script notes what begins and ends, and writes it once.
local unlisted, enlisted, kinds = {}, {}, {}
local function enlist(state, entry)
  local list, kind, score = list_of(state), kind_of(state, entry), score_of(entry)
  local scored = enlisted[list] or {}
  enlisted[list] = scored
  scored[#scored + 1], scored[#scored + 2] = score, entry
  kinds[kind] = math.max(kinds[kind] or 0, score)
end
local function list_end(id, status, was, tenant, spec, target, indexed, answered, code)
  if id:sub(1, 4) ~= 'job_' then return end
  unlisted[#unlisted + 1] = list_entry(id, tenant, spec, target, is_parked(was), indexed)
  enlist(status, list_entry(id, tenant, spec, answered, code, indexed))
end
local function write_lists()
  if #unlisted > 0 and redis.call('ZREM', list_of('open'), unpack(unlisted)) < #unlisted then
    -- Some are entries of another version.
    for _, entry in ipairs(unlisted) do unlist(list_of('open'), 'job_' .. entry:sub(1, 26)) end
  end
  for list, scored in pairs(enlisted) do redis.call('ZADD', list, unpack(scored)) end
  for kind, score in pairs(kinds) do write_kind(kind, score) end
end
