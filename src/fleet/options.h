// What a fleet of simulated devices is told on its command line; each setting is a flag of the same
// name, with hyphens.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/binder.h"

namespace heliograph::fleet {

struct Options {
  std::string host = "127.0.0.1";
  std::int64_t port = 18883;
  std::string certs = ".local/certs";
  std::string ca_file;  // "" = ca.crt in certs
  std::string topic_prefix = "heliograph";

  std::int64_t devices = 1;
  std::string client_id_prefix = "solar-";
  std::string devices_file;

  std::string recording;
  std::int64_t rate = 0;
  std::chrono::milliseconds interval{std::chrono::seconds(10)};
  std::int64_t qos = 1;
  std::int64_t in_flight = 20;
  bool numbered = false;
  std::string channels = "data";
  std::int64_t payload_bytes = 0;
  std::int64_t messages = 0;
  std::string run;
  std::string acks;

  bool receipts = false;
  std::chrono::milliseconds receipt_timeout{std::chrono::seconds(10)};
  std::int64_t max_unreceipted = 1000;

  bool stages = false;
  std::chrono::milliseconds answer_delay{0};
  std::chrono::milliseconds duration{0};
  std::chrono::milliseconds die_after{0};
  std::chrono::milliseconds drain{std::chrono::seconds(30)};
  std::chrono::milliseconds keepalive{std::chrono::seconds(30)};
  std::chrono::milliseconds session_expiry{0};
  bool json = false;

  void Bind(config::Binder& binder);
};

// The client ids: the lines of devices_file, or prefix1, prefix2, … kInvalidArgument names the
// file, or the id that is none.
base::Result<std::vector<std::string>> DeviceNames(const Options& options);

}  // namespace heliograph::fleet
