-- What wrk asks for, and its result as one line of JSON.
--
-- BENCH_REQUESTS: one request a line, "METHOD path body-bytes", asked one after the other, round and round.
-- BENCH_CLOSE=1: each request on a connection of its own.

local requests, turn = {}, nil

function init()
  wrk.headers["Host"] = "localhost"
  wrk.headers["User-Agent"] = "ConfigMgr Messaging HTTP Sender"
  if os.getenv("BENCH_CLOSE") == "1" then wrk.headers["Connection"] = "close" end
  for method, path, size in os.getenv("BENCH_REQUESTS"):gmatch("(%S+) (%S+) (%d+)") do
    local body = tonumber(size) > 0 and string.rep("x", tonumber(size)) or nil
    requests[#requests + 1] = wrk.format(method, path, nil, body)
  end
end

function request()
  if not turn then
    -- wrk parses the first one itself, to count pipelined requests, and does not know CCM_POST.
    turn = 0
    return wrk.format("GET", "/")
  end
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests": %d, "bytes": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "p999_ms": %.3f, ' ..
    '"failed": %d, "not_2xx": %d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3, errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
