-- With: jobs/shard, jobs/list-entries
-- Removes entries of a list whose records are gone.
-- KEYS: list
-- Packed: where it begins and ends, as ZRANGE takes both, most entries
-- Replies: {the score of the last entry, or '' when there are no more}
local from, to, most = unpack(packed())
local entries, gone = redis.call('ZRANGE', KEYS[1], from, to, 'BYSCORE', 'LIMIT', 0, most), {}
for _, entry in ipairs(entries) do
  if redis.call('EXISTS', record_of('job_' .. entry:sub(1, 26))) == 0 then gone[#gone + 1] = entry end
end
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
return cmsgpack.pack({ #entries < tonumber(most) and '' or tostring(score_of(entries[#entries])) })
