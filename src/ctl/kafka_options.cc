#include "ctl/kafka_options.h"

#include <CLI/CLI.hpp>

#include "ctl/secret_file.h"

namespace heliograph::ctl {
namespace {

base::Status ReadInto(base::Secret& secret, const std::string& file, const char* what) {
  if (file.empty()) return {};
  auto read = ReadSecretFile(file, what);
  if (!read) return std::move(read).error();
  secret = *std::move(read);
  return {};
}

}  // namespace

void KafkaOptions::Declare(CLI::App& command) {
  command.add_option("--kafka", brokers, "Bootstrap servers, host:port, comma separated")
      ->envname("HELIOGRAPH_KAFKA")
      ->capture_default_str()
      ->group("Kafka");
  command
      .add_option("--kafka-property", properties,
                  "NAME=VALUE for librdkafka (SASL, TLS); may be given again")
      ->expected(1)
      ->take_all()
      ->group("Kafka");
  command
      .add_option("--kafka-sasl-password-file", sasl_password_file,
                  "A file that holds the SASL password")
      ->group("Kafka");
  command
      .add_option("--kafka-key-password-file", key_password_file,
                  "A file that holds the TLS key's password")
      ->group("Kafka");
}

base::Result<kafka::ClusterConfig> KafkaOptions::ToConfig() const {
  kafka::ClusterConfig config;
  config.brokers = brokers;
  for (const std::string& property : properties) {
    const std::size_t equals = property.find('=');
    if (equals == 0 || equals == property.npos) {
      return base::MakeError(base::ErrorCode::kInvalidArgument,
                             "--kafka-property takes NAME=VALUE, not '" + property + "'");
    }
    config.properties[property.substr(0, equals)] = property.substr(equals + 1);
  }
  const std::string wrong = kafka::CheckProperties(config.properties);
  if (!wrong.empty()) return base::MakeError(base::ErrorCode::kInvalidArgument, wrong);
  if (auto read = ReadInto(config.sasl_password, sasl_password_file, "SASL password"); !read)
    return read.error();
  if (auto read = ReadInto(config.ssl_key_password, key_password_file, "key password"); !read)
    return read.error();
  return config;
}

}  // namespace heliograph::ctl
