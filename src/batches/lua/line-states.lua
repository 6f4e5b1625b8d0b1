-- With: jobs/shard
-- Counts jobs of a batch by what is done with them.
-- KEYS: batch
-- Packed: job id …
-- Replies: {how many of them wait, run and are parked, lines that have ended and are not collected}
local counts = { queued = 0, running = 0, parked = 0 }
for _, id in ipairs(packed()) do
  local state = redis.call('HGET', record_of(id), 'state')
  if counts[state] then counts[state] = counts[state] + 1 end
end
local ended = redis.call('LLEN', BASE .. 'bd:' .. KEYS[1]:sub(-26))
return cmsgpack.pack({ counts.queued, counts.running, counts.parked, ended })
