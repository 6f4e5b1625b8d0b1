-- With: jobs/shard, jobs/route-like, jobs/kinds
-- Which lists of a shard may have jobs that a filter wants, by the kinds of entries that they have had.
-- KEYS: schedule
-- Packed: {how an entry goes on behind its id, route, provider ('' for any)}, for each list {state, why (false for any)}
-- Replies: for each list the score of the newest job of such a kind, or '' where it has had none; {} where the index
--   has not been held against the lists yet, so that kinds may be missing
local named, lists = unpack(packed())
local start, route, provider = unpack(named)
if not (redis.call('GET', BASE .. 'listed') or ''):find('^%d+ ' .. KINDS_SINCE) then return cmsgpack.pack({}) end

local newest = {}
local is_route = route_like(route)
local floor = redis.call('ZSCORE', BASE .. 'kinds', FORGOTTEN)
for i = 1, #lists do newest[i] = '' end
local had = redis.call('ZRANGE', BASE .. 'kinds', 0, -1, 'REV', 'WITHSCORES')
for i = 1, #had, 2 do
  local state, rest = had[i]:match('^(%l+)(.*)$')
  local has, target, says = rest:match('^\n[^\n]*\n([^\n]*)\n([^\n]*)\n([^\n]*)\n')
  local is_wanted = rest:sub(1, #start) == start
    and (not has or (route == '' or is_route(has)) and (provider == '' or target:sub(1, #provider + 1) == provider .. '/'))
  for at, list in ipairs(lists) do
    local is_here = is_wanted and list[1] == state and (not list[2] or not has or says == list[2])
    if is_here and newest[at] == '' then newest[at] = had[i + 1] end
  end
end
for at, score in ipairs(newest) do
  if floor and (score == '' or tonumber(score) < tonumber(floor)) then newest[at] = floor end
end
return cmsgpack.pack(newest)
