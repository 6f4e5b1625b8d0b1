-- With: jobs/list-entries, jobs/kinds
-- A job goes on living, and its entry says something else: it is asked elsewhere, or parks, or no longer.
local function relist(id, from, to)
  if from ~= to and redis.call('ZREM', list_of('open'), from) == 1 then
    redis.call('ZADD', list_of('open'), score_of(to), to)
    note_kind('open', to)
  end
end
