-- With: queue/prelude
-- Puts doorbells into a ready list, and rings for its workers. Sent again it does nothing.
-- KEYS: ready list
-- Packed: for each tenant of a class {class, tenant, {due, entry, …}}
-- Replies: {entries that did not wait yet}
local new = 0
for _, group in ipairs(packed()) do new = new + insert(unpack(group)) end
if new > 0 then ring() end
return cmsgpack.pack({ new })
