// The state again, from the log: what `state rebuild` does.
#pragma once

#include <cstdint>
#include <string>

#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/kafka_options.h"
#include "ctl/postgres_options.h"

namespace heliograph::ctl {

struct RebuildStateOptions {
  KafkaOptions kafka;
  PostgresOptions postgres;
  std::string topic = "device.control";
  std::string owners;  // the rules file; "" = connections keep their tenants
  std::int64_t max_packet_bytes = 1024 * 1024;
};

// Tells how far it is on console.err. kOk also when rows were not as the log says: the report
// counts them.
base::Result<ExitCode> RebuildState(const RebuildStateOptions& options, const Console& console);

}  // namespace heliograph::ctl
