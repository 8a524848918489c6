#include "kafka/config.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/unique_handle.h"

namespace heliograph::kafka {
namespace {

// A promise stands on each of these, so a site may not set them; aliases of librdkafka's are listed
// beside them.
constexpr std::array<std::string_view, 31> kOurs = {
    "bootstrap.servers",
    "metadata.broker.list",  // the setting `brokers`
    "client.id",
    "enable.idempotence",
    "acks",
    "request.required.acks",  // nothing acknowledged is lost
    "transactional.id",
    "enable.gapless.guarantee",
    "max.in.flight",
    "max.in.flight.requests.per.connection",  // order
    "message.send.max.retries",
    "retries",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "delivery.report.only.error",
    "partitioner",  // one client's records stand in one partition, the one that Java producers
                    // choose
    "message.max.bytes",  // derived from the largest packet
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "group.id",
    "group.instance.id",
    "partition.assignment.strategy",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",  // offsets are PostgreSQL's
    "auto.offset.reset",
    "enable.partition.eof",
    "allow.auto.create.topics",
    "statistics.interval.ms",
    "log.queue",  // what readiness is told from
    "isolation.level",
};

std::string KindOfTopicNameMistake(std::string_view name) {
  if (name.empty() || name.size() > 249) return "the name must have 1 to 249 characters";
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!std::all_of(name.begin(), name.end(), allowed)) {
    return "the name may hold letters, digits, '.', '_' and '-' only";
  }
  if (name == "." || name == "..") return "the name may not be '.' or '..'";
  return "";
}

bool ParseCount(std::string_view text, int most, int& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() && count >= 1 && count <= most;
}

}  // namespace

void ClusterConfig::Bind(config::Binder& binder) {
  binder.String(brokers, "brokers", "Kafka's bootstrap servers, host:port, comma separated.");
  binder.StringMap(
      properties, "properties",
      "Further properties of librdkafka, for example security.protocol, sasl.mechanism, "
      "sasl.username, ssl.ca.location. Those that a promise stands on are refused.");
  binder.SecretFile(sasl_password, "sasl_password_file", "A file with the password for SASL.");
  binder.SecretFile(ssl_key_password, "ssl_key_password_file",
                    "A file with the password of the key in ssl.key.location.");
  const std::string mistake = CheckProperties(properties);
  binder.Require(mistake.empty(), mistake);
}

std::string CheckProperties(const std::map<std::string, std::string>& properties) {
  const base::UniqueHandle<rd_kafka_conf_t, rd_kafka_conf_destroy> conf(rd_kafka_conf_new());
  std::array<char, 512> why{};
  for (const auto& [name, value] : properties) {
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
      return "the Kafka property " + name +
             " cannot be set: a promise of this program stands on it";
    }
    if (name == "sasl.password")
      return "the Kafka property sasl.password comes from sasl_password_file";
    if (name == "ssl.key.password") {
      return "the Kafka property ssl.key.password comes from ssl_key_password_file";
    }
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK) {
      return "the Kafka property " + name + " is not taken: " + why.data();
    }
  }
  return "";
}

base::Result<TopicSpec> ParseTopicSpec(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return base::MakeError(
        base::ErrorCode::kInvalidArgument,
        "topic '" + std::string(text) + "' is not name:partitions:replicas: " + why);
  };
  const std::size_t first = text.find(':');
  const std::size_t second = first == text.npos ? text.npos : text.find(':', first + 1);
  if (second == text.npos) return refuse("two ':' are needed");
  TopicSpec spec;
  spec.name = std::string(text.substr(0, first));
  const std::string mistake = KindOfTopicNameMistake(spec.name);
  if (!mistake.empty()) return refuse(mistake);
  if (!ParseCount(text.substr(first + 1, second - first - 1), 10'000, spec.partitions)) {
    return refuse("partitions must be 1 to 10000");
  }
  if (!ParseCount(text.substr(second + 1), 100, spec.replicas))
    return refuse("replicas must be 1 to 100");
  return spec;
}

}  // namespace heliograph::kafka
