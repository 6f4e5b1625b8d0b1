-- With: jobs/shard
-- The lists that a dead letter is in: all of its kind, since the kinds are kept for different times, and
-- those of its tenant.
local function letters_of(id, tenant)
  local all = BASE .. (id:sub(1, 4) == 'job_' and 'dead:jobs' or 'dead:batches')
  return all, all .. ':' .. (tenant or 'default')
end
