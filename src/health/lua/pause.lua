-- The operator takes a provider out of use, or gives it back. A time that it is to be left alone is over then, whoever set it: it is
-- probed, or comes back in steps.
-- ARGV[4]: 1 or 0
-- Replies the circuit.
if (ARGV[4] == '1') ~= (circuit.pausedAtMs > 0) then
  circuit.pausedAtMs = ARGV[4] == '1' and now or 0
  keep(true)
end
if ARGV[4] == '0' and circuit.untilMs > now and
    (circuit.state == 'throttled' or circuit.state == 'down' or circuit.state == 'slow') then
  circuit.untilMs = now
  keep(true)
end
return known or cjson.encode(circuit)
