// The life of a daemon: flags, settings, signals, health, exit code. `cmd/*/main.cc` is three lines
// around Main.
//
//   int main(int argc, char** argv) {
//     return app::Main<ingest::Config>({argc, argv, "heliograph-ingest", 9101},
//                                      [](const ingest::Config& config, app::Life& life) {
//       ingest::Ingest ingest(config, life.health(), life.metrics());
//       return ingest.Run(life.stop_token());
//     });
//   }
//
// Config is a struct with Bind(config::Binder&). Main adds the sections `log` and `admin`, and
// serves /livez, /readyz and /metrics at `admin` while `run` runs. Flags: --config FILE,
// --check-config, --print-config, --print-reference, --print-default-config, --version, --help.
// Exit codes: 0 ended as asked; 1 failed while running (`run` says so); 2 wrong flags or settings;
// 3 could not start (`run` threw: one log line says why). SIGTERM and SIGINT request the stop
// token; a second one ends the process at once, with 128 + its number. SIGPIPE is ignored.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/health.h"
#include "config/config.h"
#include "metrics/metrics.h"

namespace heliograph::app {

struct Arguments {
  int argc = 0;
  char** argv = nullptr;
  std::string program;             // "heliograph-ingest"
  std::int64_t admin_port = 9100;  // default of admin.port
};

// What a daemon's parts share. Threads: any thread.
class Life {
 public:
  Life();  // throws std::system_error when the process has no descriptors left
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  base::Health& health();
  metrics::Registry& metrics();
  std::stop_token stop_token() const;
  int stop_fd() const;  // readable from the moment stop was requested: for poll loops
  // As a SIGTERM: for a part that cannot go on. From then on /readyz says that the process is
  // ending.
  void RequestStop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

int RunMain(const Arguments& arguments, const config::BindFunction& bind,
            const std::function<int(Life&)>& run);

template <class Config, class Run>
int Main(const Arguments& arguments, Run run) {
  Config config;
  return RunMain(
      arguments, [&](config::Binder& binder) { config.Bind(binder); },
      [&](Life& life) { return run(static_cast<const Config&>(config), life); });
}

}  // namespace heliograph::app
