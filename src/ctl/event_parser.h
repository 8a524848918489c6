// Reads Server-Sent Events off a stream (WHATWG HTML, section 9.2.6). Pure.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace heliograph::ctl {

struct StreamEvent {
  std::string id;    // the last one that came, with this event or before it
  std::string type;  // "message" where the stream names none
  std::string data;
};

// Takes a stream in pieces that end anywhere. Threads: one thread.
class EventParser {
 public:
  explicit EventParser(std::function<void(const StreamEvent&)> on_event, std::string last_id = "")
      : on_event_(std::move(on_event)), last_id_(std::move(last_id)) {}

  void Take(std::string_view text);
  // Another stream begins: what of an event has come is forgotten, the last id stays.
  void BeginAnew();

  const std::string& last_id() const { return last_id_; }
  std::chrono::milliseconds retry() const { return retry_; }  // before the next try

 private:
  void TakeLine(std::string_view line);
  void Finish();

  const std::function<void(const StreamEvent&)> on_event_;
  std::string last_id_;
  std::string id_;
  std::string line_;
  std::string type_;
  std::string data_;
  bool has_id_ = false;
  std::chrono::milliseconds retry_{2000};
};

}  // namespace heliograph::ctl
