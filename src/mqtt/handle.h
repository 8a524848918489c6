// libmosquitto's object for one connection, set up from our types. Private to this folder.
#pragma once

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "mqtt/client.h"
#include "mqtt/config.h"

struct ssl_ctx_st;

namespace heliograph::mqtt {

struct FreeProperties {
  void operator()(mosquitto_property* list) const noexcept { mosquitto_property_free_all(&list); }
};
using UniqueProperties = std::unique_ptr<mosquitto_property, FreeProperties>;

// A code of libmosquitto as an Error; `doing` begins the message.
base::Error ErrorOf(int code, const std::string& doing);

// A fresh object with protocol, limits, will, session and TLS as asked; nothing is connected.
// `owner` is what callbacks get.
base::Result<UniqueMosquitto> MakeHandle(const ClientOptions& options, ssl_ctx_st& context,
                                         void* owner);

// Null when the message needs none.
base::Result<UniqueProperties> PropertiesOf(const OutgoingMessage& message);

}  // namespace heliograph::mqtt
