-- With: health/circuit
-- Takes in what the probe showed.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, terms, era of the probe, success | failure | ignored, reason
-- Replies: the circuit.
local terms, outcome, reason = cjson.decode(ARGV[4]), ARGV[6], ARGV[7]
if circuit.state == 'probing' and circuit.era == tonumber(ARGV[5]) then
  if outcome == 'success' then
    step_up(terms)
  else
    -- A probe that was ended from this side proves nothing: the provider is left alone as long as before. A
    -- slow provider had not failed until now, so this is no relapse.
    if outcome == 'failure' and circuit.reason ~= 'overdue' then circuit.relapses = circuit.relapses + 1 end
    open(terms, reason == '' and circuit.reason or reason)
  end
end
return known or cjson.encode(circuit)
