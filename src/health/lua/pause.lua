-- With: health/circuit
-- Takes a provider out of use for an operator, or gives it back. Giving it back also ends any time for which
-- it is left alone: it is probed, or comes back in steps.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, 1 or 0, by whom and why (JSON)
-- Replies: the circuit.
if (ARGV[4] == '1') ~= (circuit.pausedAtMs > 0) then
  local who = cjson.decode(ARGV[5])
  circuit.pausedAtMs = ARGV[4] == '1' and now or 0
  circuit.pausedBy, circuit.pauseNote = who.by, who.note
  keep(true)
end
if ARGV[4] == '0' and circuit.untilMs > now and
    (circuit.state == 'throttled' or circuit.state == 'down' or circuit.state == 'slow') then
  circuit.untilMs = now
  keep(true)
end
return known or cjson.encode(circuit)
