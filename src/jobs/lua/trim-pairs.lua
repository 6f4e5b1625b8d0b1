-- With: jobs/shard, jobs/pairs
-- Removes members of the set of pairs whose records are gone.
-- KEYS: the set of pairs
-- Packed: where it begins, as ZRANGE takes it, before what the ids sort that are looked at, most members
-- Replies: {the last member, or '' when there are no more}
local from, before, most = unpack(packed())
local members, gone = redis.call('ZRANGE', KEYS[1], from, '+', 'BYLEX', 'LIMIT', 0, most), {}
for _, member in ipairs(members) do
  local core = member:sub(HASHED + 1)
  local is_old = core ~= '' and core < before
  if is_old and redis.call('EXISTS', record_of('job_' .. core)) == 0 then gone[#gone + 1] = member end
end
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
return cmsgpack.pack({ #members < tonumber(most) and '' or members[#members] })
