#include "fleet/options.h"

#include <fstream>

#include "device/ids.h"
#include "device/topic.h"

namespace heliograph::fleet {
namespace {

using namespace std::chrono_literals;

void BindPlace(Options& options, config::Binder& binder) {
  binder.String(options.host, "host", "The broker's host, as its certificate names it.");
  binder.Integer(options.port, "port", {1, 65535}, "The broker's listener for devices.");
  binder.String(options.certs, "certs",
                "The folder with CLIENT_ID.crt and CLIENT_ID.key of each device.");
  binder.String(options.ca_file, "ca_file", "Verifies the broker; ca.crt in certs unless said.");
  binder.String(options.topic_prefix, "topic_prefix", "What topics begin with.");
  binder.Integer(options.devices, "devices", {1, 100'000}, "How many devices.");
  binder.String(options.client_id_prefix, "client_id_prefix",
                "Their client ids: this, followed by 1, 2, 3 and so on.");
  binder.String(options.devices_file, "devices_file",
                "Their client ids, one a line, instead of a number and a prefix.");
}

void BindTraffic(Options& options, config::Binder& binder) {
  binder.String(options.recording, "recording",
                "Telemetry from this CSV file; a small recording is built in.");
  binder.Integer(options.rate, "rate", {0, 1'000'000'000},
                 "Messages a second of all devices together; 0 = each by its interval.");
  binder.Duration(
      options.interval, "interval_s", {0s, 24h},
      "Time between two messages of one device, where no rate is given; 0 = no telemetry.");
  binder.Integer(options.qos, "qos", {0, 1}, "Quality of service of telemetry.");
  binder.Integer(options.in_flight, "in_flight", {1, 10'000},
                 "Messages of one device without the broker's acknowledgement.");
  binder.Bool(options.numbered, "numbered",
              "Number the messages, keep each until the broker has acknowledged it, and send it "
              "again after a lost connection.");
  binder.Choice(options.channels, "channels", {"data", "control", "both"},
                "Where numbered messages go.");
  binder.Integer(options.payload_bytes, "payload_bytes", {0, 100'000'000},
                 "Pad numbered messages to this size.");
  binder.Integer(options.messages, "messages", {0, 1'000'000'000},
                 "End after so many messages of each device; 0 = no limit.");
  binder.String(options.run, "run",
                "A name for the numbering, so that runs can be told apart; random unless said.");
  binder.String(options.acks, "acks",
                "Write there at the end which numbers were acknowledged, as JSON lines.");
}

void BindReceipts(Options& options, config::Binder& binder) {
  binder.Bool(
      options.receipts, "receipts",
      "Ask for receipts, keep each numbered message until its receipt has come, and send it "
      "again when that takes too long: then not even a broker that is killed loses one.");
  binder.Duration(options.receipt_timeout, "receipt_timeout_ms", {100ms, 1h},
                  "How long to wait for a receipt after the broker's acknowledgement; doubles with "
                  "each repeat.");
  binder.Integer(options.max_unreceipted, "max_unreceipted", {1, 1'000'000},
                 "Messages of one device without a receipt; at so many it sends no new ones.");
}

void BindLife(Options& options, config::Binder& binder) {
  binder.Bool(options.stages, "stages",
              "Answer actions with accepted and running before succeeded.");
  binder.Duration(options.answer_delay, "answer_delay_ms", {0s, 1h}, "How long an action takes.");
  binder.Duration(options.duration, "duration_s", {0s, 1000h},
                  "End after so long; 0 = when told to.");
  binder.Duration(options.die_after, "die_after_s", {0s, 1000h},
                  "End without a word after so long: connections break, last wills go out.");
  binder.Duration(options.drain, "drain_s", {0s, 1h},
                  "At the end wait at most so long for acknowledgements.");
  binder.Duration(options.keepalive, "keepalive_s", {5s, 1h}, "MQTT keepalive.");
  binder.Duration(options.session_expiry, "session_expiry_s", {0s, 1000h},
                  "How long the broker keeps a device's session while it is away; 0 = not at all.");
  binder.Bool(options.json, "json", "Print the summary as JSON.");
}

}  // namespace

void Options::Bind(config::Binder& binder) {
  BindPlace(*this, binder);
  BindTraffic(*this, binder);
  BindReceipts(*this, binder);
  BindLife(*this, binder);
  binder.Require(device::TopicGrammar::Create(topic_prefix).has_value(),
                 "topic_prefix must be 1 to 8 levels without wildcards");
  binder.Require(numbered || (acks.empty() && payload_bytes == 0 && channels == "data"),
                 "acks, channels and payload_bytes need numbered");
  binder.Require(numbered || !receipts, "receipts needs numbered");
  binder.Require(!numbered || qos == 1, "numbered needs qos 1: nothing else is acknowledged");
}

base::Result<std::vector<std::string>> DeviceNames(const Options& options) {
  std::vector<std::string> names;
  if (options.devices_file.empty()) {
    for (std::int64_t i = 1; i <= options.devices; ++i) {
      names.push_back(options.client_id_prefix + std::to_string(i));
    }
  } else {
    std::ifstream file(options.devices_file);
    if (!file) {
      return base::MakeError(base::ErrorCode::kInvalidArgument,
                             "'" + options.devices_file + "' cannot be read");
    }
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) names.push_back(line);
    }
  }
  for (const std::string& name : names) {
    if (const auto id = device::ParseClientId(name); !id) return id.error();
  }
  if (names.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "'" + options.devices_file + "' names no device");
  }
  return names;
}

}  // namespace heliograph::fleet
