-- With: health/circuit
-- Opens the circuit of a provider that checks found dead while no job called it.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, terms, era in which it was checked, reason, since when it was checked
-- Replies: the circuit.
local terms = cjson.decode(ARGV[4])
local stands = circuit.state == 'healthy' or circuit.state == 'recovering'
-- Calls that have begun meanwhile show more than a check.
if stands and circuit.era == tonumber(ARGV[5]) and heard_at(terms) < tonumber(ARGV[7]) then
  if circuit.state == 'recovering' and not circuit.cooled then circuit.relapses = circuit.relapses + 1 end
  open(terms, ARGV[6])
end
return known or cjson.encode(circuit)
