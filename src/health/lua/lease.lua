-- With: health/circuit
-- Takes the one probe of the cluster, or holds it for longer.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua, owner, length of the lease in ms, era of the lease to hold (0: take one)
-- Replies: {1 when it was taken, the circuit}.
local owner, untilMs, era = ARGV[4], now + tonumber(ARGV[5]), tonumber(ARGV[6])
local waits = circuit.state == 'down' or circuit.state == 'slow' or circuit.state == 'probing'
if era > 0 then
  if circuit.state == 'probing' and circuit.era == era then
    circuit.untilMs = untilMs
    keep(false)
  end
elseif waits and circuit.untilMs <= now and circuit.pausedAtMs == 0 then
  enter('probing', untilMs, circuit.reason)
  circuit.owner = owner
  keep(true)
  return { 1, known }
end
return { 0, known or cjson.encode(circuit) }
