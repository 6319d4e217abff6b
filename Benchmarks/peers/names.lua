-- Requests of wrk for one of many counters. Arguments: what stands before the number of the counter in the
-- path, how many counters there are, and how they are drawn: `uniform`, `zipf` (the chance of the k-th is
-- proportional to 1/k), `each` (one after the other), `invented` (each name once), or `known` (uniform, with
-- the work that `invented` is).
--
-- But for the last two, what is sent is made before, or when it is drawn for the first time: a generator that
-- computes takes the processor from those it measures.

local prefix, counters, draw
local draws, requests = {}, {}
local count = 0

local function number()
  if draw == "zipf" then
    -- The logarithm of the rank is uniform, nearly.
    return math.floor(counters ^ math.random())
  end
  return math.random(1, counters)
end

function init(arguments)
  prefix, counters, draw = arguments[1], tonumber(arguments[2]), arguments[3]
  math.randomseed(os.time() + (tonumber(arguments[4]) or 0))
  if draw == "uniform" or draw == "zipf" then
    for i = 0, 2 ^ 18 - 1 do draws[i] = number() end
  end
end

function request()
  count = count + 1
  if draw == "invented" then
    return wrk.format("GET", prefix .. math.random(1, 1e9) .. "-" .. count)
  elseif draw == "known" then
    return wrk.format("GET", prefix .. math.random(1, counters))
  end
  local number = draw == "each" and count % counters + 1 or draws[count % 2 ^ 18]
  local request = requests[number] or wrk.format("GET", prefix .. number)
  requests[number] = request
  return request
end
