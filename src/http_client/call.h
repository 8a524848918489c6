// How one call is made with libcurl: what Client and Transfers share. Only for this folder.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_handle.h"
#include "http_client/client.h"

namespace heliograph::http_client {

using EasyHandle = base::UniqueHandle<CURL, &curl_easy_cleanup>;
using HeaderList = base::UniqueHandle<curl_slist, &curl_slist_free_all>;

// libcurl counts calls of its global set-up; each is paired with a clean-up. Threads: any thread.
class Library {
 public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

// Who hears an answer that goes on. Threads: that of the call.
struct Listener {
  const std::function<bool(std::string_view)>& on_text;
  std::chrono::milliseconds longest_silence;
  std::chrono::steady_clock::time_point heard_at = std::chrono::steady_clock::now();
  bool enough = false;  // on_text wants no more
  bool silent = false;
};

// A call under way. Stays where it is from Prepare to Finish. Threads: one thread.
class Call {
 public:
  // All outlive it. `listener`: as Client::Listen has it; nullptr: as Client::Send.
  Call(const ClientConfig& config, const Request& request, Listener* listener = nullptr)
      : config_(config), request_(request), listener_(listener) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Sets all that `handle` needs. kInvalidArgument as Client::Send.
  base::Status Prepare(CURL* handle);
  // What came of it: errors as Client::Send.
  base::Result<Response> Finish(CURLcode code);

 private:
  struct Callbacks;
  int StatusNow() const;
  base::Error ErrorOf(CURLcode code) const;

  const ClientConfig& config_;
  const Request& request_;
  Listener* const listener_;
  CURL* handle_ = nullptr;
  HeaderList headers_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  Response response_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool refused_ = false;  // an address
};

}  // namespace heliograph::http_client
