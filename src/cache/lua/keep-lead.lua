-- With: cache/prelude
-- Renews the lead of a job that still asks.
-- KEYS: those of prelude.lua
-- ARGV: job, lease ms
-- Replies: 1, or 0 when another leads.
if leader() ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', LEAD, ARGV[2])
