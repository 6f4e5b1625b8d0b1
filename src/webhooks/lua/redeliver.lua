-- With: jobs/bodies, jobs/lives, webhooks/owed, webhooks/dead-letters
-- Takes a dead letter back into delivery, with its retries from the start.
-- KEYS: record, schedule
-- ARGV: id, now
-- Replies: 1, also when it is sent again after its reply was lost, or 0 when there is no such dead letter.
local r = redis.call('HMGET', KEYS[1], 'delivery', 'deliveries', 'redelivered', 'died', 'tenant')
-- The time identifies a request that is sent again. Another request finds no dead letter any more.
if r[1] ~= 'dead' then return r[3] == ARGV[2] and 1 or 0 end
redis.call('HSET', KEYS[1], 'delivery', 'pending', 'deliveries_before', r[2], 'redelivered', ARGV[2],
  'delivery_due', ARGV[2])
redis.call('PERSIST', KEYS[1])
to_answer(KEYS[1], ARGV[1], 'PERSIST')
for _, list in ipairs({ letters_of(ARGV[1], r[5]) }) do
  redis.call('ZREM', list, string.format('%013d:', r[4]) .. ARGV[1])
end
if ARGV[1]:sub(1, 4) ~= 'job_' then owe_announcement(ARGV[1], ARGV[2]) end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1] .. '.w.' .. r[2])
note_life(ARGV[1], 1)
write_lives()
return 1
