-- With: jobs/shard, jobs/final, jobs/list-entries
-- The kinds of entries that each list has had: what they say behind their ids, but for metadata, and the score of the
-- newest of each. Who looks for jobs of a kind that no list has had looks at no entry, and for others begins there.
local KINDS_SINCE = '[345]'
local function kind_of(state, entry)
  return (FINAL[state] and state or 'open') .. entry:match('^\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n', 27)
end
-- Clients may name routes, so there may be many kinds: those that have had no job for longest are forgotten, and the newest
-- job of all forgotten ones stands for them.
local MAX_KINDS, FORGOTTEN = 2000, 'forgotten'
local function write_kind(kind, score)
  local all = BASE .. 'kinds'
  if redis.call('ZADD', all, 'GT', score, kind) == 0 or redis.call('ZCARD', all) <= MAX_KINDS then return end
  redis.call('ZADD', all, 'GT', redis.call('ZPOPMIN', all, 2)[4], FORGOTTEN)
end
local function note_kind(state, entry) write_kind(kind_of(state, entry), score_of(entry)) end
