// Who owns a device, by what is configured: a rules file, or a service that is asked.
#pragma once

#include <memory>

#include "base/clock.h"
#include "config/binder.h"
#include "metrics/metrics.h"
#include "owner/http_lookup.h"
#include "owner/resolver.h"
#include "owner/rules_file.h"

namespace heliograph::owner {

struct Config {
  RulesConfig rules;
  HttpConfig http;

  void Bind(config::Binder& binder);
};

// Throws base::StartupError. `clock` and `metrics` outlive it.
std::unique_ptr<Resolver> MakeResolver(const Config& config, const base::Clock& clock,
                                       metrics::Registry& metrics);

}  // namespace heliograph::owner
