-- The keys of the cache's scripts are those of one request, all in one slot, which need not be
-- the slot of any job that asks it. So nothing here changes in one step with a job, and each side must do
-- without the other.
-- KEYS: answer, lead (the job that asks the provider; behind it, once its answer streams, the run and the form
--   of the stream), followers (hash: job, its doorbell; behind it the form of the stream that it may read), failures, index
--   of the answers of the route in this slot's shard (by the time in ms at which they are gone), their sizes
--   (hash; '' has the sum)
local ANSWER, LEAD, FOLLOWERS, FAILURES, INDEX, SIZES = unpack(KEYS)

local function leader() return (redis.call('GET', LEAD) or ''):match('^%S*') end

-- Lets the followers go: the caller rings their doorbells.
local function followers()
  local doorbells = redis.call('HVALS', FOLLOWERS)
  redis.call('DEL', FOLLOWERS)
  for i, doorbell in ipairs(doorbells) do doorbells[i] = doorbell:match('^%S+') end
  return doorbells
end
