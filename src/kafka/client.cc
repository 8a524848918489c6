#include "kafka/client.h"

#include <array>
#include <string_view>

#include "base/startup_error.h"

namespace heliograph::kafka {
namespace {

// Below this syslog level it is worth a line at the usual level; the rest is for debugging.
constexpr int kSyslogWarning = 4;

// How soon it shows that a broker is back.
constexpr std::chrono::milliseconds kStatisticsInterval{250};
// Fewer may be the moment between two connections.
constexpr int kSilentTicks = 4;

void OnLog(const rd_kafka_t* client, int level, const char* facility, const char* text) noexcept {
  auto* state = static_cast<ClientState*>(rd_kafka_opaque(client));
  if (state == nullptr) return;
  // Settings that are ours to decide; the site's are checked before.
  const bool about_settings = std::string_view(facility) == "CONFWARN";
  if (level <= kSyslogWarning && !about_settings) {
    state->logger.Warn(state->log_limit, "Kafka's client reports",
                       {{"facility", facility}, {"text", text}});
  } else {
    state->logger.Debug("Kafka's client reports", {{"facility", facility}, {"text", text}});
  }
}

void Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> why{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) !=
      RD_KAFKA_CONF_OK) {
    throw base::StartupError("the Kafka property " + name + " is not taken: " + why.data());
  }
}

}  // namespace

void Reachability::OnError(rd_kafka_resp_err_t code, std::string_view text) {
  const std::lock_guard lock(mutex_);
  known_ = true;
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    reachable_ = false;  // the error before this one says why
    return;
  }
  if (!reachable_ || ToErrorCode(code) == base::ErrorCode::kUnavailable) last_error_ = text;
}

void Reachability::OnStatistics(std::string_view json) {
  // Only brokers have a state in capitals; a consumer group's is "up". This folder may not parse
  // JSON.
  const bool some_up = json.find("\"state\":\"UP\"") != json.npos;
  const std::lock_guard lock(mutex_);
  if (some_up) {
    known_ = true;
    reachable_ = true;
    silent_ticks_ = 0;
  } else if (++silent_ticks_ >= kSilentTicks) {
    reachable_ = false;
  }
}

void Reachability::OnAnswer() {
  const std::lock_guard lock(mutex_);
  if (known_) return;
  known_ = true;
  reachable_ = true;
}

std::string Reachability::Reason() const {
  const std::lock_guard lock(mutex_);
  if (reachable_) return "";
  return last_error_.empty() ? "no broker answers" : last_error_;
}

ConfHandle MakeConf(const ClusterConfig& cluster, const Properties& defaults,
                    const Properties& essential, ClientState& state) {
  const std::string mistake = CheckProperties(cluster.properties);
  if (!mistake.empty()) throw base::StartupError(mistake);
  ConfHandle conf(rd_kafka_conf_new());
  // A broker that is away is looked for once a second; one that is silent is noticed within 15 s,
  // also by a client with nothing to do: it asks for metadata every 2 s and gives an answer 10 s.
  Set(conf.get(), "reconnect.backoff.ms", "50");
  Set(conf.get(), "reconnect.backoff.max.ms", "1000");
  Set(conf.get(), "topic.metadata.refresh.interval.ms", "2000");
  Set(conf.get(), "socket.timeout.ms", "10000");
  Set(conf.get(), "socket.nagle.disable", "true");
  for (const auto& [name, value] : defaults) Set(conf.get(), name, value);
  for (const auto& [name, value] : cluster.properties) Set(conf.get(), name, value);
  if (!cluster.sasl_password.empty())
    Set(conf.get(), "sasl.password", cluster.sasl_password.Reveal());
  if (!cluster.ssl_key_password.empty()) {
    Set(conf.get(), "ssl.key.password", cluster.ssl_key_password.Reveal());
  }
  Set(conf.get(), "bootstrap.servers", cluster.brokers);
  Set(conf.get(), "statistics.interval.ms", std::to_string(kStatisticsInterval.count()));
  for (const auto& [name, value] : essential) Set(conf.get(), name, value);
  rd_kafka_conf_set_opaque(conf.get(), &state);
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  return conf;
}

ClientHandle MakeClient(rd_kafka_type_t type, ConfHandle conf) {
  std::array<char, 512> why{};
  ClientHandle client(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (!client) throw base::StartupError(std::string("cannot make a Kafka client: ") + why.data());
  (void)conf.release();  // the client owns it now
  return client;
}

base::ErrorCode ToErrorCode(rd_kafka_resp_err_t code) {
  // Not every one of librdkafka's 150 codes: those that a caller of ours meets. What is not named
  // is worth another try only where a retry is harmless, and all of ours are.
  switch (static_cast<int>(code)) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return base::ErrorCode::kTooLarge;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return base::ErrorCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return base::ErrorCode::kNotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return base::ErrorCode::kAlreadyExists;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return base::ErrorCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return base::ErrorCode::kUnauthenticated;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__STATE:
      return base::ErrorCode::kConflict;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return base::ErrorCode::kDeadlineExceeded;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
      return base::ErrorCode::kCancelled;
    case RD_KAFKA_RESP_ERR__FATAL:
      return base::ErrorCode::kInternal;
    default:
      return base::ErrorCode::kUnavailable;
  }
}

base::Error ToError(rd_kafka_resp_err_t code, std::string_view doing) {
  return base::MakeError(ToErrorCode(code), std::string(doing) + ": " + rd_kafka_err2str(code) +
                                                " (" + rd_kafka_err2name(code) + ")");
}

}  // namespace heliograph::kafka
