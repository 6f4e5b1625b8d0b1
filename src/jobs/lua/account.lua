-- The worker of a run that does not hold its job any more tells what it called for it.
-- KEYS: record   ARGV: token, attempts ('' for none)
-- Replies 1, or 0 where no entry of the log stands for the calls of that run: they are in it, or the job is gone.
return account(KEYS[1], ARGV[1], ARGV[2])
