-- With: health/circuit
-- Gives the one check of an interval to the process that asks first, while no call shows how the provider is.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, terms, length of the interval
-- Replies: {1 when it was given, when to ask again, the circuit}.
local terms, interval = cjson.decode(ARGV[4]), tonumber(ARGV[5])
local heard = math.max(circuit.checkedAtMs or 0, circuit.sinceMs, heard_at(terms))
if (circuit.state ~= 'healthy' and circuit.state ~= 'recovering') or circuit.pausedAtMs > 0 or heard + interval > now then
  return { 0, heard + interval, known or cjson.encode(circuit) }
end
circuit.checkedAtMs = now
keep(false)
return { 1, now + interval, known }
