-- Whether a route is the one that is asked for, or like it where that has a star.
local function route_like(wanted)
  local head, tail = wanted:match('^([^*]*)%*(.*)$')
  if not head then return function(has) return has == wanted end end
  return function(has)
    return #has > #head + #tail and has:sub(1, #head) == head and has:sub(#has - #tail + 1) == tail
  end
end
