-- The ceiling of calls at once to a provider that tells no limit: slow start doubles it with each round, which is as many
-- answers as it has calls; later it grows by its square root, times a gradient of latency (slow start and additive increase:
-- TCP, RFC 5681; the gradient and the square root: `Gradient2` of Netflix's concurrency-limits). It grows only while it is
-- used. Times are ms.
local first_window, tolerance = 16, 2

local function new_ceiling(first)
  return { ceiling = first, starting = true, epoch = 0, ok = 0, took = 0, begun = {}, procs = {} }
end

-- Grows the ceiling after a round in which it held calls back.
local function grow(state, seen, is_full)
  state.ok, state.took, state.is_full = state.ok + seen.ok, state.took + seen.tookMs, state.is_full or is_full
  if state.ok < state.ceiling or state.is_open then return end
  local short, was_full = math.max(1, state.took / state.ok), state.is_full
  state.long = state.long or short
  local gradient = math.max(0.5, math.min(1, tolerance * state.long / short))
  -- What is usual falls fast and rises slowly: else the ceiling would rise with the queue that it makes.
  state.long = state.long + (short - state.long) * (short < state.long and 0.5 or 0.03)
  -- Answers differ in length: one slow round says nothing.
  state.slower = gradient < 1 and (state.slower or 0) + 1 or 0
  state.ok, state.took, state.is_full = 0, 0, false
  -- What was met is kept, and tried as an episode says.
  if not was_full or state.met then return end
  if state.starting and state.slower < 2 then
    state.ceiling = state.ceiling * (state.slower == 0 and 2 or 1)
  else
    state.starting = false
    state.ceiling = math.max(math.min(state.ceiling, first_window), state.ceiling * gradient + math.sqrt(state.ceiling))
  end
end
