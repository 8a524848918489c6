#include "mqtt/handle.h"

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace heliograph::mqtt {
namespace {

base::ErrorCode CodeOf(int code) {
  switch (code) {
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_DUPLICATE_PROPERTY:
      return base::ErrorCode::kInvalidArgument;
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
      return base::ErrorCode::kTooLarge;
    case MOSQ_ERR_NOMEM:
    case MOSQ_ERR_NOT_SUPPORTED:
      return base::ErrorCode::kInternal;
    default:
      return base::ErrorCode::kUnavailable;
  }
}

// Properties of CONNECT are only taken by the blocking call. So it is made once with an empty path
// of a Unix socket (which is what port 0 means), where it fails before it opens anything, and the
// properties stay for the call that does not block.
base::Status KeepConnectProperties(mosquitto& handle, const ClientOptions& options) {
  mosquitto_property* list = nullptr;
  int code =
      mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                   static_cast<std::uint32_t>(options.session_expiry.count()));
  if (code == MOSQ_ERR_SUCCESS && options.maximum_packet_size > 0) {
    code = mosquitto_property_add_int32(&list, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                        options.maximum_packet_size);
  }
  const UniqueProperties owned(list);
  if (code != MOSQ_ERR_SUCCESS) return ErrorOf(code, "stating the session's properties");
  mosquitto_connect_bind_v5(&handle, "", 0, 0, nullptr, list);
  return {};
}

base::Status SetWill(mosquitto& handle, const Will& will) {
  const int code =
      mosquitto_will_set_v5(&handle, will.topic.c_str(), static_cast<int>(will.payload.size()),
                            will.payload.data(), will.qos, false, nullptr);
  if (code != MOSQ_ERR_SUCCESS) return ErrorOf(code, "setting the last will");
  return {};
}

base::Status SetOptions(mosquitto& handle, const ClientOptions& options, ssl_ctx_st& context) {
  // Without it every call that queues a packet also writes, and acknowledgements leave before their
  // time.
  int code = mosquitto_threaded_set(&handle, true);
  if (!code) code = mosquitto_int_option(&handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  if (!code) code = mosquitto_int_option(&handle, MOSQ_OPT_TCP_NODELAY, 1);
  // Of our own publishes as many at once as the broker takes: its CONNACK lowers this to its
  // Receive Maximum.
  if (!code) code = mosquitto_int_option(&handle, MOSQ_OPT_SEND_MAXIMUM, 65535);
  if (!code && options.receive_maximum > 0) {
    code = mosquitto_int_option(&handle, MOSQ_OPT_RECEIVE_MAXIMUM, options.receive_maximum);
  }
  if (!code) code = mosquitto_void_option(&handle, MOSQ_OPT_SSL_CTX, &context);
  // The context is complete; libmosquitto would replace its verification by one of its own.
  if (!code) code = mosquitto_int_option(&handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  if (code) return ErrorOf(code, "setting up libmosquitto");
  return {};
}

}  // namespace

void FreeMosquitto::operator()(mosquitto* handle) const noexcept { mosquitto_destroy(handle); }

base::Error ErrorOf(int code, const std::string& doing) {
  const char* reason = code == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(code);
  return base::MakeError(CodeOf(code), doing + ": " + reason);
}

base::Result<UniqueMosquitto> MakeHandle(const ClientOptions& options, ssl_ctx_st& context,
                                         void* owner) {
  UniqueMosquitto handle(mosquitto_new(options.client_id.c_str(), options.clean_start, owner));
  if (!handle) {
    return base::MakeError(base::ErrorCode::kInternal,
                           std::string("libmosquitto gave no client: ") + std::strerror(errno));
  }
  base::Status done = SetOptions(*handle, options, context);
  if (done && options.will) done = SetWill(*handle, *options.will);
  if (done) done = KeepConnectProperties(*handle, options);
  if (!done) return std::move(done).error();
  return handle;
}

base::Result<UniqueProperties> PropertiesOf(const OutgoingMessage& message) {
  mosquitto_property* list = nullptr;
  int code = MOSQ_ERR_SUCCESS;
  if (message.expiry) {
    code = mosquitto_property_add_int32(&list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                        static_cast<std::uint32_t>(message.expiry->count()));
  }
  if (!code && !message.response_topic.empty()) {
    code = mosquitto_property_add_string(&list, MQTT_PROP_RESPONSE_TOPIC,
                                         message.response_topic.c_str());
  }
  if (!code && !message.correlation_data.empty()) {
    if (message.correlation_data.size() > std::numeric_limits<std::uint16_t>::max()) {
      code = MOSQ_ERR_PAYLOAD_SIZE;
    } else {
      code = mosquitto_property_add_binary(
          &list, MQTT_PROP_CORRELATION_DATA, message.correlation_data.data(),
          static_cast<std::uint16_t>(message.correlation_data.size()));
    }
  }
  UniqueProperties owned(list);
  if (code) return ErrorOf(code, "writing the message's properties");
  return owned;
}

}  // namespace heliograph::mqtt
