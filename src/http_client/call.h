// How one call is made with libcurl: what Client and Transfers share. Only for this folder.
#pragma once

#include <curl/curl.h>

#include <array>
#include <string>

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

// A call under way. Stays where it is from Prepare to Finish. Threads: one thread.
class Call {
 public:
  // Both outlive it.
  Call(const ClientConfig& config, const Request& request) : config_(config), request_(request) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Sets all that `handle` needs. kInvalidArgument as Client::Send.
  base::Status Prepare(CURL* handle);
  // What came of it: errors as Client::Send.
  base::Result<Response> Finish(CURL* handle, CURLcode code);

 private:
  struct Callbacks;
  base::Error ErrorOf(CURL* handle, CURLcode code) const;

  const ClientConfig& config_;
  const Request& request_;
  HeaderList headers_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  Response response_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool refused_ = false;  // an address
};

}  // namespace heliograph::http_client
