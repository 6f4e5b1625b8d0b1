-- With: jobs/shard, jobs/usage, jobs/costs, jobs/lives, jobs/enlisting
-- The finished lines of a job's batch. The batch's id is the job's with line number 0.
local function done_lines(id)
  return BASE .. 'bd:' .. id:sub(5, 24) .. '00000' .. id:sub(-1)
end

-- An answer without a price is told apart from an end that cost nothing.
local function note_end(status, at, spec, target, log, answered, input, cached, output, known, fresh)
  local logged = cost_in(log)
  if logged or fresh then logged = (logged or 0) + (fresh or 0) end
  local cost = dearer(known or nil, logged)
  note_usage(at, spec, answered or target, {
    r = 1, f = status == 'succeeded' and 0 or 1, i = input or 0, c = cached or 0, o = output or 0, d = cost or 0,
    u = not cost and (status == 'succeeded' or input) and 1 or 0 })
end

-- Ends a job, the one way there is, counts what it used, and starts its retention. Returns whether a client may
-- wait for this end, so that the caller publishes it (`publish_ends`). The caller also removes what would still
-- wake the job (`entries_of`), sees to the payload, and writes what is noted (`write_ends`). `bill`: when it ends,
-- its spec, target and log, and what `encodeBill` says of it, with the state in which it `was`, its `tenant`, `indexed` and `code`. `holder` stays behind: only a running job's is
-- ever read, and each job pays for every command here. A job of a batch (`custom_id`) goes to the batch's
-- collector instead, which removes it when its line is durable: no client waits for it.
local function finish(record, schedule, id, hook, custom_id, status, due, retention, bill, ...)
  redis.call('HSET', record, 'state', status, ...)
  note_end(status, unpack(bill))
  if custom_id then
    redis.call('RPUSH', done_lines(id), id)
    return false
  end
  list_end(id, status, bill.was, bill.tenant, bill[2], bill[3], bill.indexed, bill[5] or bill[3], bill.code)
  if hook then
    -- No expiry while a delivery is due: retries last longer than the retention.
    redis.call('HSET', record, 'delivery', 'pending')
    redis.call('ZADD', schedule, due, id .. '.w.0')
  else
    redis.call('PEXPIRE', record, retention)
    note_life(id, -1)
  end
  return true
end

local function write_ends()
  write_lives()
  write_usage()
  write_lists()
end

-- One channel for all jobs, so that a process subscribes once, and a script that ends many publishes once.
local function publish_ends(ids)
  redis.call('PUBLISH', BASE:match('^[^{]*') .. 'ends', ids)
end

-- Has the call of a running job dropped, in whichever process makes it.
local function drop_call(id)
  redis.call('PUBLISH', BASE:match('^[^{]*') .. 'abort', id)
end
