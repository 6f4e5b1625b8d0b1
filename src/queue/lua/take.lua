-- With: queue/prelude
-- Gives a worker the doorbells whose turn it is, and keeps them under the name of a chunk until the worker
-- says that it has claimed their jobs. What a silent worker took comes back to its old place.
-- Classes share by weight, and within a class tenants: start-time fair queueing (Goyal et al., 1996), by
-- estimated tokens. A tenant's earliest deadline goes first.
-- KEYS: ready list
-- Packed: chunk, how many, worker, its free slots, how long it may keep a chunk in ms, {tenant, weight, …},
--   {chunk that was claimed, …}
-- Replies: {how many still wait, paused (1), entry …}
local chunk, left, worker, free, keep_ms, weight_list, claimed = unpack(packed())
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- How far ahead of the next one may be who is served: small steps cost more commands.
local SLACK = 4000

forget_chunks(claimed)
bring_back(now)

local waiting, at = {}, {}
local known = redis.call('HMGET', READY, 'waiting:interactive', 'waiting:default', 'waiting:bulk', 'at:interactive', 'at:default', 'at:bulk')
for i, class in ipairs(CLASSES) do waiting[class], at[class] = tonumber(known[i] or 0), tonumber(known[i + 3] or 0) end
local function all_waiting() return waiting.interactive + waiting.default + waiting.bulk end

-- A reply that got lost: the same again, or what it gave would be in nobody's hands.
local before = left > 0 and redis.call('HGET', TAKEN, chunk)
if before then
  local items, again = cmsgpack.unpack(before), { all_waiting(), 0 }
  for i = 4, #items, 4 do again[#again + 1] = items[i] end
  return cmsgpack.pack(again)
end
-- Tools for BullMQ pause a queue there. A worker is told also while nothing waits: it may have jobs that come by
-- another way.
local paused = redis.call('HEXISTS', QUEUE .. 'meta', 'paused') == 1
if paused then left = 0 end

local weights = {}
for i = 1, #weight_list, 2 do weights[weight_list[i]] = weight_list[i + 1] end
local given, reply = {}, { 0, paused and 1 or 0 }

-- The virtual time at which the last one began is that of the class: who comes begins there.
local clocks, last_tokens = {}, 0

-- Serves one tenant until its virtual time passes `bound`. Returns the tokens given.
local function serve_tenant(class, tenant, v, bound, most)
  local key, weight, count, sum = entries_of(class, tenant), weights[tenant] or 1, 0, 0
  local found = redis.call('ZRANGE', key, 0, most - 1, 'WITHSCORES')
  while count < #found / 2 and v <= bound do
    local entry = found[2 * count + 1]
    local tokens = tonumber(entry:match(' (%d+)$')) or 1
    local n = #given
    given[n + 1], given[n + 2], given[n + 3], given[n + 4] = class, tenant, found[2 * count + 2], entry
    reply[#reply + 1] = entry
    clocks[class], last_tokens = v, tokens
    count, v, sum = count + 1, v + tokens / weight, sum + tokens
  end
  if count > 0 then redis.call('ZREMRANGEBYRANK', key, 0, count - 1) end
  waiting[class], left = waiting[class] - count, left - count
  if count * 2 < #found or not retire_if_empty(class, tenant, v) then
    redis.call('ZADD', tenants_of(class), string.format('%.3f', v), tenant)
  end
  return sum
end

-- Serves a class until `budget` tokens are given.
local function serve_class(class, budget)
  local sum = 0
  while left > 0 and waiting[class] > 0 and sum <= budget do
    local two = redis.call('ZRANGE', tenants_of(class), 0, 1, 'WITHSCORES')
    if not two[1] then break end
    local most = (two[3] or budget < math.huge) and math.min(left, 16) or left
    sum = sum + serve_tenant(class, two[1], tonumber(two[2]), two[4] and tonumber(two[4]) + SLACK or math.huge, most)
  end
  return sum
end

local clock
while left > 0 and all_waiting() > 0 do
  local first, second
  for _, class in ipairs(CLASSES) do
    if waiting[class] > 0 then
      if not first or at[class] < at[first] then first, second = class, first
      elseif not second or at[class] < at[second] then second = class end
    end
  end
  local budget = second and (at[second] - at[first]) * CLASS_WEIGHT[first] or math.huge
  local sum = serve_class(first, budget)
  if sum == 0 then break end
  at[first] = at[first] + sum / CLASS_WEIGHT[first]
  clock = at[first] - last_tokens / CLASS_WEIGHT[first]
end

if #given > 0 then
  redis.call('HSET', TAKEN, chunk, cmsgpack.pack(given))
  redis.call('ZADD', LEASES, now + keep_ms, chunk)
  local fields = { 'clock', string.format('%.3f', clock) }
  for class, v in pairs(clocks) do
    for field, value in pairs({ clock = v, at = at[class], waiting = waiting[class] }) do
      fields[#fields + 1] = field .. ':' .. class
      fields[#fields + 1] = field == 'waiting' and value or string.format('%.3f', value)
    end
  end
  redis.call('HSET', READY, unpack(fields))
  redis.call('HINCRBY', READY, 'served', #given / 4)
end
if worker ~= '' then redis.call('HSET', READY .. ':room', worker, (paused and 0 or free - #given / 4) .. ' ' .. now) end
reply[1] = all_waiting()
-- What is left over is for another worker, if one sleeps.
if #given > 0 and reply[1] > 0 then ring() end
return cmsgpack.pack(reply)
