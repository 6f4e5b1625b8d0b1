-- The schedule's entry that comes up when the worker of a job has been silent for too long.
local function lease_of(id) return id .. '.l' end

-- The schedule's entries of a live job: its doorbell, its deadline, and its worker's lease.
local function entries_of(id, hop, generation)
  return id .. '.' .. (hop or '0') .. '.' .. (generation or '0'), id .. '.x', lease_of(id)
end
