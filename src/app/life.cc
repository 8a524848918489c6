#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "app/app.h"
#include "base/wakeup.h"
#include "log/log.h"

namespace heliograph::app {

namespace {

// One line when a dependency is lost, and one when it is back; fewer of one that flaps. Threads:
// one at a time.
class ReadinessLog {
 public:
  // Under Health's lock.
  void operator()(const std::string& dependency, const std::string& reason) {
    One& one = dependencies_[dependency];
    if (!reason.empty()) {
      std::uint64_t held_back = 0;
      one.told = one.limit.Pass(held_back);
      if (one.told) logger_.Warn("not ready", {{"dependency", dependency}, {"reason", reason}});
    } else if (one.told) {
      logger_.Info("ready again", {{"dependency", dependency}});
    }
  }

 private:
  struct One {
    log::RateLimit limit{std::chrono::seconds(1)};
    bool told = false;
  };
  const log::Logger logger_{"app"};
  std::map<std::string, One> dependencies_;
};

}  // namespace

struct Life::State {
  ReadinessLog readiness_log;
  base::Health health{std::ref(readiness_log)};
  metrics::Registry metrics;
  base::Wakeup stopping;
  std::stop_source stop;
  std::stop_callback<std::function<void()>> notify{stop.get_token(), [this] { stopping.Notify(); }};
};

Life::Life() : state_(std::make_unique<State>()) {}
Life::~Life() = default;

base::Health& Life::health() { return state_->health; }
metrics::Registry& Life::metrics() { return state_->metrics; }
std::stop_token Life::stop_token() const { return state_->stop.get_token(); }
int Life::stop_fd() const { return state_->stopping.fd(); }
void Life::RequestStop() {
  // First: whoever sends work here must hear of it while what is under way is finished.
  state_->health.SetNotReady("process", "ending");
  state_->stop.request_stop();
}

}  // namespace heliograph::app
