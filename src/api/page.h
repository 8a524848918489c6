// The shape of a list: {"items": […], "next": cursor or null}.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "json/json.h"

namespace heliograph::api {

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
