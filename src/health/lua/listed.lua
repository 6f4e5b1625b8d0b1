-- With: health/circuit
-- Remembers that a provider once listed its models.
-- KEYS: those of circuit.lua
-- ARGV: those of circuit.lua
-- Replies: the circuit.
if not circuit.lists then
  circuit.lists = true
  keep(false)
end
return known
