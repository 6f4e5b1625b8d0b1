-- With: cache/prelude
-- Notes that the leader's answer streams, and lets those go that may read along.
-- KEYS: those of prelude.lua
-- ARGV: job, its run, the form of its stream
-- Replies: the doorbells of the jobs that may read it.
local job, run, form = unpack(ARGV)
if leader() ~= job then return {} end
redis.call('SET', LEAD, table.concat(ARGV, ' '), 'KEEPTTL')
local readers, names = {}, {}
local all = redis.call('HGETALL', FOLLOWERS)
for i = 1, #all, 2 do
  local doorbell, own_form = all[i + 1]:match('^(%S+) (%S+)$')
  if own_form == form then names[#names + 1], readers[#readers + 1] = all[i], doorbell end
end
for _, name in ipairs(names) do redis.call('HDEL', FOLLOWERS, name) end
return readers
