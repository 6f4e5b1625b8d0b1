-- With: jobs/shard, jobs/entries, jobs/final
-- Looks at entries of the index for the live jobs of some blocks, and whether the schedule has what will wake
-- each of them.
-- KEYS: schedule
-- Packed: first entry, last entry, most entries, deadlines up to this time need a timer, the block before
--   which every job is looked at ('' for none), {the blocks whose jobs are looked at …}
-- Replies: {the last entry ('' when there are no more), {block ('' for all before the one), how many of its
--   jobs live, …}, {{id, doorbell that should wait in a queue ('' for none), target, tenant, priority, class,
--   tokens} for each job that the schedule will not wake, with '' for fields that have their default}}
local from, to, most, near, before, blocks = unpack(packed())
local schedule, wanted, counts, adrift = KEYS[1], {}, {}, {}
for _, block in ipairs(blocks) do wanted[block] = true end

local function stands(entry) return redis.call('ZSCORE', schedule, entry) ~= false end

-- Whether a job lives, whether the schedule has all that it should, and else the doorbell to look for.
local function look(record, id)
  local r = redis.call('HMGET', record, 'state', 'hop', 'generation', 'spec', 'delivery', 'deliveries')
  local state, hop, generation, spec, delivery, deliveries = unpack(r, 1, 6)
  if not state then return false end
  if FINAL[state] then
    if delivery ~= 'pending' then return false end
    local doorbell = id .. '.w.' .. (deliveries or '0')
    return true, stands(doorbell) or stands(doorbell .. '.l'), doorbell
  end
  local doorbell, deadline, lease = entries_of(id, hop, generation)
  local expires = tonumber(spec:match('^%S+ (%S+)'))
  if expires <= tonumber(near) and not stands(deadline) then return true, false, '' end
  if state == 'running' then return true, stands(lease), '' end
  return true, stands(doorbell), doorbell
end

local function note_adrift(record, id, doorbell)
  local r = redis.call('HMGET', record, 'target', 'tenant', 'priority', 'class', 'tokens')
  local words = { id, doorbell }
  for i = 1, 5 do words[i + 2] = r[i] or '' end
  adrift[#adrift + 1] = words
end

local entries = redis.call('XRANGE', BASE .. 'index', from, to, 'COUNT', most)
for _, entry in ipairs(entries) do
  local id = entry[2][2]
  local block = id:sub(5, 11)
  local found = block < before and '' or block
  if found == '' or wanted[block] then
    local record = record_of(id)
    local lives, is_safe, doorbell = look(record, id)
    if lives then counts[found] = (counts[found] or 0) + 1 end
    if lives and not is_safe then note_adrift(record, id, doorbell) end
  end
end

local flat = {}
for block, count in pairs(counts) do flat[#flat + 1], flat[#flat + 2] = block, count end
return cmsgpack.pack({ #entries < tonumber(most) and '' or entries[#entries][1], flat, adrift })
