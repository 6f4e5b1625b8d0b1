-- Every key of a shard begins like its first. Scripts that serve many jobs derive the jobs' keys from it,
-- because a worker spent more time on sending keys one by one than on all else it does for a job. (BullMQ's
-- scripts do the same; on a Cluster such keys are in the slot of the first.)
local BASE = KEYS[1]:match('^.-}:')
local function record_of(id) return BASE .. 'j:' .. id end
local function payload_of(id) return BASE .. 'p:' .. id end
local function packed() return cmsgpack.unpack(ARGV[1]) end
