-- With: jobs/shard, jobs/stream-logs, jobs/leases
-- Appends to the logs of streamed jobs, and sends what was appended to the processes whose connections read them. The
-- offset makes an append that is sent again harmless, and shows what Redis lost. Fenced. All records are of one shard.
-- KEYS: schedule
-- Packed: how long a log is kept at most in ms, a process that has the bytes already ('' for none), then for each job
--   {id, token, run, offset, bytes, whether the log takes them}
-- Replies: for each the length of the log, or -1 when the token no longer holds the job.
local logs = packed()
local ttl, has_them = logs[1], logs[2]
local channels, messages = BASE:match('^[^{]*') .. 'stream:', {}

local function send(readers, id, run, offset, bytes)
  for reader in readers:gmatch('%S+') do
    if reader ~= has_them then
      local message = messages[reader] or {}
      messages[reader] = message
      message[#message + 1] = table.concat({ id, run, offset, #bytes }, ' ') .. '\n'
      message[#message + 1] = bytes
    end
  end
end

-- The log of a run that broke off gives way to that of one that begins anew.
local function begin(id, run, before)
  redis.call('PEXPIRE', log_of(id, run), ttl)
  redis.call('HSET', record_of(id), 'log', run)
  if before ~= run then expire_log(id, before, ttl) end
end

local function append(id, token, run, offset, bytes, is_kept)
  local r = redis.call('HMGET', record_of(id), 'state', 'holder', 'stream', 'log')
  if r[1] ~= 'running' or not holds(token, r[2]) then return -1 end
  local log, length = log_of(id, run), offset + #bytes
  if is_kept then
    local before = redis.call('STRLEN', log)
    if before ~= offset then return before end
    redis.call('APPEND', log, bytes)
    if offset == 0 then begin(id, run, r[4]) end
  end
  send(r[3] or '', id, run, offset, bytes)
  return length
end

local replies = {}
for i = 3, #logs do replies[i - 2] = append(unpack(logs[i])) end
for reader, message in pairs(messages) do redis.call('PUBLISH', channels .. reader, table.concat(message)) end
return cmsgpack.pack(replies)
