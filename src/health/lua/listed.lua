-- Remembers that a provider once listed its models.
-- Replies the circuit.
if not circuit.lists then
  circuit.lists = true
  keep(false)
end
return known
