// heliograph-api: wiring only.
#include "api/api.h"
#include "app/app.h"

int main(int argc, char** argv) {
  using namespace heliograph;
  return app::Main<api::Config>({argc, argv, "heliograph-api", 9103},
                                [](const api::Config& config, app::Life& life) {
                                  api::Api api(config, life.health(), life.metrics());
                                  return api.Run(life.stop_token());
                                });
}
