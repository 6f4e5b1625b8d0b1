-- Looks at entries of the index for the live jobs of some blocks, and whether the schedule has what will wake
-- each of them.
-- KEYS: schedule
-- Packed: first entry, last entry, most entries, deadlines up to this time need a timer, the block before
--   which every job is looked at ('' for none), {the blocks whose jobs are looked at …}
-- Replies: {the last entry ('' when there are no more), {block ('' for all before the one), how many of its
--   jobs live, …}, {ids of jobs that the schedule will not wake …}}
local from, to, most, near, before, blocks = unpack(packed())
local schedule, wanted, counts, adrift = KEYS[1], {}, {}, {}
for _, block in ipairs(blocks) do wanted[block] = true end

local function stands(entry) return redis.call('ZSCORE', schedule, entry) ~= false end

-- Whether a job lives, and whether the schedule has all that it should.
local function look(id)
  local r = redis.call('HMGET', record_of(id), 'state', 'hop', 'generation', 'spec', 'delivery', 'deliveries')
  local state, hop, generation, spec, delivery, deliveries = unpack(r, 1, 6)
  if not state then return false end
  if FINAL[state] then
    if delivery ~= 'pending' then return false end
    local doorbell = id .. '.w.' .. (deliveries or '0')
    return true, stands(doorbell) or stands(doorbell .. '.l')
  end
  local doorbell, deadline, lease = entries_of(id, hop, generation)
  local expires = tonumber(spec:match('^%S+ (%S+)'))
  if expires <= tonumber(near) and not stands(deadline) then return true, false end
  return true, stands(state == 'running' and lease or doorbell)
end

local entries = redis.call('XRANGE', BASE .. 'index', from, to, 'COUNT', most)
for _, entry in ipairs(entries) do
  local id = entry[2][2]
  local block = id:sub(5, 11)
  local found = block < before and '' or block
  if found == '' or wanted[block] then
    local lives, is_safe = look(id)
    if lives then counts[found] = (counts[found] or 0) + 1 end
    if lives and not is_safe then adrift[#adrift + 1] = id end
  end
end

local flat = {}
for block, count in pairs(counts) do flat[#flat + 1], flat[#flat + 2] = block, count end
return cmsgpack.pack({ #entries < tonumber(most) and '' or entries[#entries][1], flat, adrift })
