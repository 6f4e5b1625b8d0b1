-- With: jobs/shard
-- The bytes of a streamed answer, as the run that this word names had it from its provider: the token of a claim, or
-- `<token>-2` and so on where that has begun anew.
local function log_of(id, run) return BASE .. 'l:' .. id .. ':' .. run end
local function of_claim(run, token) return run == token or run:sub(1, #token + 1) == token .. '-' end
-- A log is there for readers that were cut off; later ones get the answer itself.
local LOG_MS = 600000
local function expire_log(id, run, ttl)
  if run then redis.call('PEXPIRE', log_of(id, run), math.min(ttl, LOG_MS)) end
end
