#include "kafka/client.h"

#include <array>
#include <charconv>
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

// An answer that takes longer is none; what Kafka lets a client wait for on purpose takes half a
// second at most on at least one connection.
constexpr std::chrono::microseconds kSilence = std::chrono::seconds(6);
// One that is back has sent something since: metadata is asked for every 2 s.
constexpr std::chrono::microseconds kJustNow = std::chrono::seconds(3);

// The number after `name`, the first beyond `from`; -1 where there is none. By a search, since this
// folder may not parse JSON.
std::int64_t NumberAfter(std::string_view json, std::size_t from, std::string_view name) {
  std::int64_t number = -1;
  const std::size_t at = json.find(name, from);
  if (at == json.npos) return number;
  const char* begin = json.data() + at + name.size();
  std::from_chars(begin, json.data() + json.size(), number);
  return number;
}

struct Answers {
  bool some_up = false;
  bool some_now = false;      // a broker that is up has sent something a moment ago
  bool some_perhaps = false;  // a broker is up, and not known to be silent
};

Answers ReadAnswers(std::string_view json) {
  // Only brokers have a state in capitals; a consumer group's is "up". What follows it belongs to
  // the same broker.
  constexpr std::string_view kUp = "\"state\":\"UP\"";
  Answers answers;
  for (std::size_t at = json.find(kUp); at != json.npos; at = json.find(kUp, at + kUp.size())) {
    answers.some_up = true;
    const std::chrono::microseconds idle(NumberAfter(json, at, "\"rxidle\":"));
    const bool is_waited_for = NumberAfter(json, at, "\"waitresp_cnt\":") > 0;
    const bool has_sent = idle.count() >= 0;
    answers.some_now = answers.some_now || (has_sent && idle <= kJustNow);
    const bool silent = !has_sent || (is_waited_for && idle > kSilence);
    answers.some_perhaps = answers.some_perhaps || !silent;
  }
  return answers;
}

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
  const Answers answers = ReadAnswers(json);
  const std::lock_guard lock(mutex_);
  if (answers.some_now) {
    known_ = true;
    reachable_ = true;
  }
  if (reachable_ && answers.some_perhaps) {
    silent_ticks_ = 0;
  } else if (++silent_ticks_ >= kSilentTicks) {
    if (reachable_ && answers.some_up)
      last_error_ = "the brokers accept connections, but do not answer";
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
