-- Prepended to the cache's scripts. Their keys are those of one request, all of one slot, which need not be that of any
-- job that asks it: so nothing here and nothing of a job change in one step, and each side must do when the other is
-- missing.
-- KEYS: answer, lead (the job that asks the provider), followers (hash: job, its doorbell), failures, index of the answers
--   of the route in this slot's shard (by the time in ms at which they are gone), their sizes (hash; '' has the sum)
local ANSWER, LEAD, FOLLOWERS, FAILURES, INDEX, SIZES = unpack(KEYS)

-- Those who follow go on, each by its doorbell.
local function followers()
  local doorbells = redis.call('HVALS', FOLLOWERS)
  redis.call('DEL', FOLLOWERS)
  return doorbells
end
