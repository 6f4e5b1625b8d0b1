-- With: health/circuit
-- Leaves a provider that throttled a call alone until a time, after which it comes back in steps.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, terms, until, reason
-- Replies: the circuit.
local terms, untilMs, reason = cjson.decode(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local stands = circuit.state == 'healthy' or circuit.state == 'throttled' or circuit.state == 'recovering'
if stands and untilMs > now and terms.shares[1] and not is_overruled() then
  if circuit.state ~= 'throttled' then
    -- A provider on its way back from an outage still has to show that it works.
    circuit.cooled = circuit.cooled or circuit.state == 'healthy'
    go_on_as('throttled', untilMs, reason)
    circuit.share, circuit.step = terms.shares[1], 0
    keep(true)
  elseif untilMs > circuit.untilMs then
    circuit.untilMs = untilMs
    keep(false)
  end
end
return known or cjson.encode(circuit)
