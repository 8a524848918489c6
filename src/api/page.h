// Answers' JSON. The shape of a list: {"items": […], "next": cursor or null}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "json/json.h"

namespace heliograph::api {

// Appends `,"name":"text"`, null where the text is empty.
inline void AppendText(std::string& out, std::string_view name, std::string_view text) {
  out.append(1, ',').append(1, '"').append(name).append(R"(":)");
  if (text.empty()) {
    out += "null";
  } else {
    json::AppendString(out, text);
  }
}

// Threads: one thread.
class Page {
 public:
  // Appends the item that `append` writes.
  template <class Append>
  void Add(Append append) {
    if (body_.back() != '[') body_ += ',';
    append(body_);
  }

  http::Response Finish(const std::optional<std::string>& next) && {
    body_ += R"(],"next":)";
    if (next) {
      json::AppendString(body_, *next);
    } else {
      body_ += "null";
    }
    http::Response response;
    response.body = std::move(body_) + "}";
    return response;
  }

 private:
  std::string body_ = R"({"items":[)";
};

}  // namespace heliograph::api
