// Drives a Client and writes down what it tells.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mqtt/client.h"

namespace heliograph::mqtt {

struct Heard {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
  std::string response_topic;
  std::string correlation_data;
};

class Recorder final : public ClientEvents {
 public:
  Recorder(const ConnectionConfig& config, ClientOptions options)
      : client(config, std::move(options), *this) {}

  void OnConnected(int reason, bool present) override {
    connect_reasons.push_back(reason);
    session_present = present;
  }
  void OnSubscribed(int, std::span<const int> granted) override {
    subscribed.insert(subscribed.end(), granted.begin(), granted.end());
  }
  void OnMessage(const IncomingMessage& message) override {
    heard.push_back({std::string(message.topic), std::string(message.payload), message.qos,
                     message.retain, std::string(message.response_topic),
                     std::string(message.correlation_data)});
    if (on_message) on_message();
  }
  void OnPublished(int message_id, int reason) override {
    published.emplace_back(message_id, reason);
  }

  // Runs the loop until `done`, or for at most `longest`; false when it was not done or the
  // connection ended (see `ended`).
  bool RunUntil(const std::function<bool()>& done, bool write = true,
                std::chrono::milliseconds longest = std::chrono::seconds(10)) {
    const auto deadline = std::chrono::steady_clock::now() + longest;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (!Turn(write)) return false;
    }
    return true;
  }

  // Connect, CONNACK.
  bool Online() {
    const base::Status status = client.Connect();
    if (!status) {
      ended = status.error().message;
      return false;
    }
    const std::size_t before = connect_reasons.size();
    return RunUntil([&] { return connect_reasons.size() > before; }) && client.connected();
  }

  bool SubscribeTo(const std::string& filter, int qos) {
    const std::size_t before = subscribed.size();
    return client.Subscribe(filter, qos).has_value() &&
           RunUntil([&] { return subscribed.size() > before; });
  }

  std::vector<int> connect_reasons;
  bool session_present = false;
  std::vector<int> subscribed;
  std::vector<Heard> heard;
  std::vector<std::pair<int, int>> published;
  std::function<void()> on_message;
  std::string ended;
  Client client;

 private:
  bool Turn(bool write) {
    const short events =
        static_cast<short>(write && client.WantsWrite() ? POLLIN | POLLOUT : POLLIN);
    pollfd one{client.fd(), events, 0};
    ::poll(&one, 1, client.HasDecryptedBytes() ? 0 : 20);
    base::Status status;
    if ((one.revents & ~POLLOUT) != 0 || client.HasDecryptedBytes()) status = client.ReadPacket();
    if (status && write && client.WantsWrite()) status = client.WritePending();
    if (status && write) status = client.Maintain();
    if (!status) ended = status.error().message;
    return status.has_value();
  }
};

}  // namespace heliograph::mqtt
