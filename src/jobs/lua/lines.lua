-- Only the latest lines are kept, so that the record stays a compact listpack however often a job parks, or its
-- webhook is tried.
local function longer_lines(lines, line)
  lines = lines and (lines .. '\n' .. line) or line
  local cut = #lines > 1000 and lines:find('\n', #lines - 1000, true)
  return cut and lines:sub(cut + 1) or lines
end
