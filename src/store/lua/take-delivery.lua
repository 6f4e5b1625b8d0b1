-- Workers answer doorbells of webhooks. Only the doorbell that a record waits for gets its record. All records of one shard.
-- KEYS: agenda
-- Takes: for each doorbell {record, attempt}
-- Gives for each the record's fields and values in turn, or false when nothing is to be delivered (any more).
local replies = {}
for i, doorbell in ipairs(packed()) do
  local record, attempt = unpack(doorbell)
  local r = redis.call('HMGET', record, 'delivery', 'deliveries')
  local is_due = r[1] == 'pending' and (r[2] or '0') == attempt
  replies[i] = is_due and redis.call('HGETALL', record)
end
return cmsgpack.pack(replies)
