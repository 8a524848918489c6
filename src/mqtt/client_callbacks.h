// What libmosquitto calls: from its C functions to ClientEvents. Private to this folder.
#pragma once

#include "mqtt/client.h"

struct mosquitto_message;
struct mqtt5__property;

namespace heliograph::mqtt {

struct Client::Callbacks {
  static void Set(mosquitto* handle);

 private:
  static Client& Self(void* owner) { return *static_cast<Client*>(owner); }
  static void OnConnect(mosquitto*, void* owner, int reason, int flags,
                        const mqtt5__property*) noexcept;
  static void OnDisconnect(mosquitto*, void* owner, int reason, const mqtt5__property*) noexcept;
  static void OnPublish(mosquitto*, void* owner, int message_id, int reason,
                        const mqtt5__property*) noexcept;
  static void OnSubscribe(mosquitto*, void* owner, int message_id, int count, const int* granted,
                          const mqtt5__property*) noexcept;
  static void OnMessage(mosquitto*, void* owner, const mosquitto_message* message,
                        const mqtt5__property* properties) noexcept;
  static void OnLog(mosquitto*, void* owner, int level, const char* text) noexcept;
  static void WithProperties(Client& self, IncomingMessage& incoming,
                             const mqtt5__property* properties);
};

}  // namespace heliograph::mqtt
