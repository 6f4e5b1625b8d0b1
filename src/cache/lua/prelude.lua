-- Prepended to the cache's scripts. Their keys are those of one request, all in one slot, which need not be
-- the slot of any job that asks it. So nothing here changes in one step with a job, and each side must do
-- without the other.
-- KEYS: answer, lead (the job that asks the provider), followers (hash: job, its doorbell), failures, index
--   of the answers of the route in this slot's shard (by the time in ms at which they are gone), their sizes
--   (hash; '' has the sum)
local ANSWER, LEAD, FOLLOWERS, FAILURES, INDEX, SIZES = unpack(KEYS)

-- Lets the followers go: the caller rings their doorbells.
local function followers()
  local doorbells = redis.call('HVALS', FOLLOWERS)
  redis.call('DEL', FOLLOWERS)
  return doorbells
end
