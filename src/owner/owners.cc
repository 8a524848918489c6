#include "owner/owners.h"

namespace heliograph::owner {

void Config::Bind(config::Binder& binder) {
  rules.Bind(binder);
  binder.Section(http, "http", "A service that says who owns a device, instead of the rules file.");
  binder.Require(!http.enabled() || rules.rules_file.empty(),
                 "owners: rules_file and http.url exclude each other; to ask the service, write "
                 "rules_file: \"\"");
  binder.Require(http.enabled() || !rules.rules_file.empty(),
                 "owners: without a rules_file and without http.url no device has an owner");
}

std::unique_ptr<Resolver> MakeResolver(const Config& config, const base::Clock& clock,
                                       metrics::Registry& metrics) {
  if (config.http.enabled()) return std::make_unique<HttpLookup>(config.http, clock, metrics);
  return std::make_unique<RulesFile>(config.rules);
}

}  // namespace heliograph::owner
