#include "fleet/receipt.h"

#include <charconv>

#include "json/json.h"

namespace heliograph::fleet {

std::string CorrelationOf(const Asked& asked, std::string_view run) {
  return std::string(device::ChannelName(asked.channel)) + ":" + std::to_string(asked.sequence) +
         ":" + std::string(run);
}

std::optional<Asked> ReadCorrelation(std::string_view data, std::string_view run) {
  for (const auto channel : {device::Channel::kControl, device::Channel::kData}) {
    const std::string head = std::string(device::ChannelName(channel)) + ":";
    if (!data.starts_with(head)) continue;
    const std::string_view rest = data.substr(head.size());
    Asked asked{channel, 0};
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), asked.sequence);
    const std::string_view tail = rest.substr(static_cast<std::size_t>(read.ptr - rest.data()));
    if (read.ec != std::errc() || !tail.starts_with(':') || tail.substr(1) != run) return {};
    return asked;
  }
  return std::nullopt;
}

bool IsReceipt(std::string_view payload) {
  auto message = json::Parse(payload);
  if (!message || !message->is_object() || message->value("type", json::Value()) != "receipt") {
    return false;
  }
  const auto content = message->find("content");
  return content != message->end() && content->is_object() &&
         content->value("state", json::Value()) == "stored";
}

}  // namespace heliograph::fleet
