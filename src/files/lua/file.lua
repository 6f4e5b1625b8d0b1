-- Makes a file visible. ARGV has from `at` on the number of its record's fields and values, these, and its
-- segments.
local function write_file(record, segments, purge, id, expires, at)
  local length = tonumber(ARGV[at])
  redis.call('HSET', record, unpack(ARGV, at + 1, at + length))
  -- Segments go by the thousand: `unpack` takes some 8,000 values at most.
  for i = at + length + 1, #ARGV, 1000 do
    redis.call('RPUSH', segments, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
  if expires == '0' then redis.call('ZREM', purge, id) else redis.call('ZADD', purge, expires, id) end
end
