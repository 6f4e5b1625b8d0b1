-- What the calls in some JSON cost, and the dearer of two costs; nil when none is known. A text within the JSON
-- cannot look like a field, as its quotes are escaped.
local function cost_in(json)
  local sum
  for cost in (json or ''):gmatch('"cost_usd":([%d.e+-]+)') do sum = (sum or 0) + math.floor(cost * 1e8 + 0.5) end
  return sum
end
local function dearer(a, b) return a and b and math.max(a, b) or a or b end

-- The cost of a job as its record shows it: see `greater` in record.ts.
local function cost_of_ended(result, log)
  local known = result:match('"cost":([%d.e+-]+)')
  local logged, fresh = cost_in(log), cost_in(result)
  if logged or fresh then logged = (logged or 0) + (fresh or 0) end
  return dearer(known and math.floor(known * 1e8 + 0.5), logged)
end
