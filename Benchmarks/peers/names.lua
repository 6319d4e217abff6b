-- Requests of wrk for one of many counters. Arguments: what stands before the number of the counter in the
-- path, how many counters there are, and how they are drawn: `uniform`, `zipf` (the chance of the k-th is
-- proportional to 1/k), or `invented` (each name once).

local prefix, counters, draw
local invented = 0

function init(arguments)
  prefix, counters, draw = arguments[1], tonumber(arguments[2]), arguments[3]
  math.randomseed(os.time() + (tonumber(arguments[4]) or 0))
end

function request()
  local number
  if draw == "zipf" then
    -- The logarithm of the rank is uniform, nearly.
    number = math.floor(counters ^ math.random())
  elseif draw == "invented" then
    invented = invented + 1
    number = math.random(1, 1e9) .. "-" .. invented
  else
    number = math.random(1, counters)
  end
  return wrk.format("GET", prefix .. number)
end
