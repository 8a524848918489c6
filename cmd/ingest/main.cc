// heliograph-ingest: device messages from the MQTT broker become Kafka records. Wiring only.
#include "app/app.h"
#include "ingest/config.h"
#include "ingest/ingest.h"

int main(int argc, char** argv) {
  using namespace heliograph;
  constexpr int kAdminPort = 9101;
  return app::Main<ingest::Config>({argc, argv, "heliograph-ingest", kAdminPort},
                                   [](const ingest::Config& config, app::Life& life) {
                                     ingest::Ingest ingest(config, life.health(), life.metrics());
                                     return ingest.Run(life.stop_fd());
                                   });
}
