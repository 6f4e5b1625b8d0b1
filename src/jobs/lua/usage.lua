-- With: jobs/shard
-- What jobs used, by the hour (UTC) in which they ended, who answered and for which route. Costs are whole
-- hundred-millionths of a dollar, so that sums are exact. A script notes what it does, and writes it once.
local USAGE_MS = 400 * 86400000
-- Clients choose the names that wildcards stand for. What comes to more fields than this in an hour goes by one name.
local USAGE_FIELDS = 2100
local used = {}
local function note_usage(at, spec, target, amounts)
  local key = BASE .. 'usage:' .. math.floor(tonumber(at) / 3600000)
  local name = target .. '\n' .. spec:match('^%S+ %S+ %S+ (.*)')
  local hour = used[key] or {}
  used[key] = hour
  for kind, by in pairs(amounts) do
    if by ~= 0 then hour[kind .. name] = (hour[kind .. name] or 0) + by end
  end
end
local function write_usage()
  for key, hour in pairs(used) do
    for field, by in pairs(hour) do
      -- A field is new when it holds just this.
      local sum = redis.call('HINCRBY', key, field, string.format('%.0f', by))
      if sum == by and redis.call('HLEN', key) > USAGE_FIELDS and not field:find('/*\n*', 1, true) then
        redis.call('HDEL', key, field)
        field = field:match('^.[^/]*') .. '/*\n*'
        sum = redis.call('HINCRBY', key, field, string.format('%.0f', by))
      end
      if sum == by and field:sub(1, 1) == 'r' then redis.call('PEXPIRE', key, USAGE_MS) end
    end
  end
end
