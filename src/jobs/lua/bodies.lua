-- With: jobs/shard
-- A long answer has a key of its own, which names the run that gave it, as the record's `apart` does.
local function answer_of(id, run) return BASE .. 'a:' .. id .. ':' .. run end

-- Does to a record's long answer, if it has one, what the caller does to the record.
local function to_answer(record, id, command, ...)
  local run = redis.call('HGET', record, 'apart')
  if run then redis.call(command, answer_of(id, run), ...) end
end

-- `true` stands for a long body, which was written before its job and with an expiry. The job takes it over.
local function lacks_body(id, body) return body == true and redis.call('EXISTS', payload_of(id)) == 0 end
local function keep_body(id, body)
  if body == true then redis.call('PERSIST', payload_of(id)) elseif body ~= '' then redis.call('SET', payload_of(id), body) end
end
