-- The operator takes a provider out of use, or gives it back to where it stood.
-- ARGV[4]: 1 or 0
-- Replies the circuit.
if (ARGV[4] == '1') ~= (circuit.pausedAtMs > 0) then
  circuit.pausedAtMs = ARGV[4] == '1' and now or 0
  keep(true)
end
return known or cjson.encode(circuit)
