-- Gives the one check of an interval to whoever asks first, where no call tells how the provider is.
-- ARGV[4..]: terms, length of the interval
-- Replies 1 when it was given, from when on to ask again, and the circuit.
local terms, interval = cjson.decode(ARGV[4]), tonumber(ARGV[5])
local told = math.max(circuit.checkedAtMs or 0, circuit.sinceMs, heard_at(terms))
if (circuit.state ~= 'healthy' and circuit.state ~= 'recovering') or circuit.pausedAtMs > 0 or told + interval > now then
  return { 0, told + interval, known or cjson.encode(circuit) }
end
circuit.checkedAtMs = now
keep(false)
return { 1, now + interval, known }
