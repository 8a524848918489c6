#include "mqtt/client_callbacks.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/unique_handle.h"

namespace heliograph::mqtt {
namespace {

// libmosquitto looks at errno after a callback to learn whether the socket is empty, so each puts
// it back.
class KeepErrno {
 public:
  KeepErrno() : saved_(errno) {}
  ~KeepErrno() { errno = saved_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  int saved_;
};

}  // namespace

void Client::Callbacks::OnConnect(mosquitto*, void* owner, int reason, int flags,
                                  const mosquitto_property*) noexcept {
  const KeepErrno keep;
  Client& self = Self(owner);
  self.accepted_ = reason == kReasonSuccess;
  if (!self.accepted_) self.connect_reason_ = reason;
  self.events_.OnConnected(reason, (flags & 0x01) != 0);
}

void Client::Callbacks::OnDisconnect(mosquitto*, void* owner, int reason,
                                     const mosquitto_property*) noexcept {
  const KeepErrno keep;
  Client& self = Self(owner);
  if (reason >= kReasonFailure) self.disconnect_reason_ = reason;
}

void Client::Callbacks::OnPublish(mosquitto*, void* owner, int message_id, int reason,
                                  const mosquitto_property*) noexcept {
  const KeepErrno keep;
  Self(owner).events_.OnPublished(message_id, reason);
}

void Client::Callbacks::OnSubscribe(mosquitto*, void* owner, int message_id, int count,
                                    const int* granted, const mosquitto_property*) noexcept {
  const KeepErrno keep;
  Self(owner).events_.OnSubscribed(message_id, {granted, static_cast<std::size_t>(count)});
}

void Client::Callbacks::OnMessage(mosquitto*, void* owner, const mosquitto_message* message,
                                  const mosquitto_property* properties) noexcept {
  const KeepErrno keep;
  IncomingMessage incoming{
      message->topic,
      {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)},
      message->qos,
      message->retain,
      {},
      {}};
  if (properties == nullptr) return Self(owner).events_.OnMessage(incoming);
  WithProperties(Self(owner), incoming, properties);
}

void Client::Callbacks::WithProperties(Client& self, IncomingMessage& incoming,
                                       const mosquitto_property* properties) {
  char* topic = nullptr;
  void* data = nullptr;
  std::uint16_t size = 0;
  std::uint32_t expiry = 0;
  mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &topic, false);
  mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &data, &size, false);
  incoming.expires = mosquitto_property_read_int32(properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                   &expiry, false) != nullptr;
  const std::unique_ptr<char, base::Freer<std::free>> owned_topic(topic);
  const std::unique_ptr<void, base::Freer<std::free>> owned_data(data);
  if (topic != nullptr) incoming.response_topic = topic;
  if (data != nullptr) incoming.correlation_data = {static_cast<const char*>(data), size};
  self.events_.OnMessage(incoming);
}

void Client::Callbacks::OnLog(mosquitto*, void* owner, int level, const char* text) noexcept {
  const KeepErrno keep;
  if (level == MOSQ_LOG_ERR) Self(owner).library_error_ = text;
}

void Client::Callbacks::Set(mosquitto* handle) {
  mosquitto_connect_v5_callback_set(handle, OnConnect);
  mosquitto_disconnect_v5_callback_set(handle, OnDisconnect);
  mosquitto_publish_v5_callback_set(handle, OnPublish);
  mosquitto_subscribe_v5_callback_set(handle, OnSubscribe);
  mosquitto_message_v5_callback_set(handle, OnMessage);
  mosquitto_log_callback_set(handle, OnLog);
}

}  // namespace heliograph::mqtt
