-- With: jobs/shard
-- Removes entries of the index whose records are gone.
-- KEYS: index
-- Packed: first entry, last entry, most entries
-- Replies: {the last entry, or '' when there are no more}
local from, to, most = unpack(packed())
local entries, gone = redis.call('XRANGE', KEYS[1], from, to, 'COUNT', most), {}
for _, entry in ipairs(entries) do
  if redis.call('EXISTS', record_of(entry[2][2])) == 0 then gone[#gone + 1] = entry[1] end
end
if #gone > 0 then redis.call('XDEL', KEYS[1], unpack(gone)) end
return cmsgpack.pack({ #entries < tonumber(most) and '' or entries[#entries][1] })
