-- With: jobs/lines
-- Adds a line that says why a job moved, where no call shows it.
local function note_move(record, line)
  if line ~= '' then redis.call('HSET', record, 'moves', longer_lines(redis.call('HGET', record, 'moves'), line)) end
end
