-- Sends the requests of a file in turn, and says as JSON what became of them.
-- wrk ... -s wrk.lua URL -- FILE [SECONDS]; with SECONDS every connection waits that long on average in between.

local next_request = 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local content = file:read("*a")
  file:close()
  requests = {}
  for request in content:gmatch("([^%z]+)%z") do
    requests[#requests + 1] = request
  end
  local pause = tonumber(arguments[2] or "0") * 1000
  if pause > 0 then
    math.randomseed(1)
    delay = function() return math.random(0, 2 * pause) end
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "bytes": %d, "refused": %d, "broken": %d, "p50": %.0f, "p95": %.0f, "p99": %.0f}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
