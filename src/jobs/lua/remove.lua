-- With: jobs/bodies, jobs/final, jobs/list-entries, jobs/pairs
-- Removes a job in the background that has ended, with its request and its answer. Such a job owes no webhook, so
-- nothing waits for its record. A worker that lost it finds it gone, as after its retention.
-- KEYS: record, payload
-- ARGV: id
-- Replies: 1, or 0 when there is no such job or it has not ended.
local record, payload = unpack(KEYS)
local state, background, tenant, indexed = unpack(redis.call('HMGET', record, 'state', 'background', 'tenant', 'indexed'))
if not background or not FINAL[state] then return 0 end
to_answer(record, ARGV[1], 'DEL')
unlist(list_of(state), ARGV[1])
forget_pairs(ARGV[1]:sub(5), tenant or '', indexed or '')
redis.call('DEL', record, payload)
return 1
