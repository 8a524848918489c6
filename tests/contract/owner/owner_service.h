// A service that knows owners: a real HTTP server on a free port, whose answers a test decides.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "device/ids.h"
#include "http/server.h"
#include "metrics/metrics.h"

namespace heliograph::owner {

class ManualClock final : public base::Clock {
 public:
  base::Timestamp Now() const override {
    return base::Timestamp(std::chrono::hours(24)) + passed();
  }
  base::SteadyTime SteadyNow() const override { return base::SteadyTime(passed()); }
  void Pass(std::chrono::milliseconds time) { passed_.fetch_add(time.count()); }

 private:
  std::chrono::milliseconds passed() const { return std::chrono::milliseconds(passed_.load()); }
  std::atomic<std::int64_t> passed_{3'600'000};
};

// GET /owners/{client_id}. Threads: any thread.
class OwnerService {
 public:
  using Owners = std::map<device::ClientId, device::TenantId>;

  explicit OwnerService(Owners owners = {});
  ~OwnerService();  // answers what is held

  std::string url() const;  // with its {client_id} and {subject}
  void Change(Owners owners);
  // Instead of what the owners say; nullptr: what they say again.
  void Answer(std::function<http::Response()> answer);
  void Hold();  // whoever asks from now on waits for Release
  void Release();

  std::vector<http::Request> requests() const;
  std::size_t most_at_a_time() const;

 private:
  http::Response Handle(const http::Request& request);
  http::Response AnswerFor(const http::Request& request) const;  // under the lock

  mutable std::mutex mutex_;  // guards all that follows, down to the server
  std::condition_variable released_;
  Owners owners_;
  std::function<http::Response()> answer_;
  bool held_ = false;
  std::size_t asking_ = 0;
  std::size_t most_ = 0;
  std::vector<http::Request> requests_;
  metrics::Registry metrics_;
  http::Server server_;
};

}  // namespace heliograph::owner
