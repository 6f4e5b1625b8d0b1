-- With: jobs/shard
-- How many jobs live of those made in the same 33 seconds, which are named by the first seven characters of
-- their ids' time: jobs without an end, and those that owe a webhook. The reconciler looks for live jobs only
-- where there are any. Lines of batches and samples of mirrors, which others look after, do not count. A
-- script notes what it does, and writes it once.
local lives = {}
local function note_life(id, by)
  if id:sub(1, 4) ~= 'job_' then return end
  local block = id:sub(5, 11)
  lives[block] = (lives[block] or 0) + by
end
local function write_lives()
  for block, by in pairs(lives) do
    if redis.call('HINCRBY', BASE .. 'live', block, by) <= 0 then redis.call('HDEL', BASE .. 'live', block) end
  end
end
