-- With: jobs/shard
-- The webhooks of batches and notices that are neither delivered nor given up, by when they were last looked
-- at. The reconciler of jobs finds a job's by the index of all jobs; these are in no other list once their
-- batch ended.
local function owe_announcement(id, now) redis.call('ZADD', BASE .. 'owed', now, id) end
