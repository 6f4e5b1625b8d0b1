-- Puts the calls of a run that lost its job into the job's log, in place of the entry that stands for them.
-- KEYS: record
-- ARGV: token, attempts ('' for none)
-- Replies: 1, or 0 when the log has no such entry: the calls are in it already, or the job is gone.
return account(KEYS[1], ARGV[1], ARGV[2])
