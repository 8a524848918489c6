// heliograph-recorder: wiring only.
#include "app/app.h"
#include "base/clock.h"
#include "owner/owners.h"
#include "recorder/recorder.h"

int main(int argc, char** argv) {
  using namespace heliograph;
  return app::Main<recorder::Config>(
      {argc, argv, "heliograph-recorder", 9102},
      [](const recorder::Config& config, app::Life& life) {
        const base::SystemClock clock;
        const auto owners = owner::MakeResolver(config.owners, clock, life.metrics());
        recorder::Recorder recorder(config, *owners, life.health(), life.metrics());
        return recorder.Run(life.stop_token());
      });
}
