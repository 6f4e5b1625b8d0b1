-- With: cache/prelude
-- Ends the lead of a job that has no answer to share.
-- KEYS: those of prelude.lua
-- ARGV: job, 1 when another's call may end likewise, ms for which that is remembered
-- Replies: the doorbells of the jobs that followed it.
if leader() ~= ARGV[1] then return {} end
redis.call('DEL', LEAD)
if ARGV[2] == '1' then
  redis.call('INCR', FAILURES)
  redis.call('PEXPIRE', FAILURES, ARGV[3])
end
return followers()
