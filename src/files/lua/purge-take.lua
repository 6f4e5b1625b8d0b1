-- Takes a due file or upload for one purger; it comes up again unless that purger finishes. No record can be
-- made of it from now on, because its bytes go first.
-- KEYS: record, purge
-- ARGV: id, now, look again at while a batch reads it, leased until
-- Replies: {tenant, expires at} of the record, '' where it has none, or nil when there is nothing to remove
--   now.
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then return nil end
local r = redis.call('HMGET', KEYS[1], 'refs', 'tenant', 'expires')
if tonumber(r[1] or '0') > 0 then
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  return nil
end
redis.call('HSET', KEYS[1], 'deleted', '1')
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return { r[2] or '', r[3] or '' }
