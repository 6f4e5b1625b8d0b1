-- With: jobs/shard, jobs/final
-- Lists of jobs in the order of their ids: those without an end, and those of each end. Lines of batches and samples of
-- mirrors are in none. An entry is an id without its prefix, and beneath it what filters ask for, a line each: tenant
-- ('' for the default), route, who is asked next or answered, why it has ended (the code of its error) or waits ('parked'),
-- and what the record has of metadata that is indexed. Its score are the characters of the id that vary first: by names
-- alone, a job took Redis twice as long to add.
local function list_of(state) return BASE .. 'list:' .. (FINAL[state] and state or 'open') end
local function score_of(core) return tonumber(core:sub(2, 11), 36) end
local function list_entry(id, tenant, spec, target, why, indexed)
  return table.concat({ id:sub(5), tenant or '', spec:match('^%S+ %S+ %S+ (.*)'), target, why or '', indexed or '' }, '\n')
end
local function is_parked(state) return state == 'parked' and state or '' end
-- For whoever does not know what else an entry says.
local function entry_in(list, id)
  local core, score = id:sub(5), score_of(id:sub(5))
  for _, entry in ipairs(redis.call('ZRANGE', list, score, score, 'BYSCORE')) do
    if entry:sub(1, #core) == core then return entry end
  end
end
local function unlist(list, id)
  local entry = entry_in(list, id)
  if entry then redis.call('ZREM', list, entry) end
end
