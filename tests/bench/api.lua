-- One kind of request after the other, for wrk: wrk -s api.lua URL -- KIND DEVICES RUN
-- KIND is get or post. The token is in HELIOGRAPH_TOKEN, so that no list of processes shows it. At the end one line of JSON.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local kind, devices, run
local sent = 0

function init(args)
  kind, devices, run = args[1], tonumber(args[2]), args[3]
  math.randomseed(number + 1)
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("HELIOGRAPH_TOKEN")
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local device = "solar-" .. math.random(devices)
  if kind == "get" then
    return wrk.format("GET", "/v1/connections/" .. device)
  end
  sent = sent + 1
  wrk.headers["Idempotency-Key"] = run .. "-" .. number .. "-" .. sent
  -- "silent": simulated devices take such an action and do not answer, so that only the action itself is measured.
  return wrk.format("POST", "/v1/actions", nil, '{"targets":{"client_ids":["' .. device ..
    '"]},"directive":"silent","payload":{"limit_w":4000,"reason":"grid"},"metadata":{"ticket":"T-1"}}')
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p99_ms": %.3f, "longest_ms": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency.max / 1000, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
