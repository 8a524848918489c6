#include "app/app.h"
#include "base/wakeup.h"

namespace heliograph::app {

struct Life::State {
  base::Health health;
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
