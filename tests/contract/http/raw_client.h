// A client that sends exactly the bytes it is told to.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace heliograph::http::testing {

constexpr std::chrono::seconds kPatience{
    20};  // for what has to happen: sanitizers and busy machines are slow

// True once `condition` holds; false when it did not within kPatience.
bool Eventually(const std::function<bool()>& condition);

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Threads: one thread.
class RawClient {
 public:
  // `receive_buffer` > 0: takes no more than about that many bytes before they are read.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);

  bool connected() const { return static_cast<bool>(socket_); }
  void Send(std::string_view bytes);     // all; stops when the server has gone
  bool TrySend(std::string_view bytes);  // false: it would block, or the server has gone
  void ShutWriting();
  void Close() { socket_ = base::UniqueFd(); }  // a FIN
  void Reset();                                 // a RST

  // The next answer; nothing when the connection ends, or nothing comes in time. `body` false: the
  // answer to a HEAD.
  std::optional<RawAnswer> ReadAnswer(bool body = true);
  // The next chunk of a body whose head was read with ReadAnswer; "" = the last one, after which
  // the next answer comes. Nothing when the connection ends, nothing comes in time, or it is no
  // chunk.
  std::optional<std::string> ReadChunk();
  // Everything up to the end; nothing when the end does not come.
  std::optional<std::string> ReadToEnd();
  bool Ended();  // the server closes; what it still sends is thrown away

 private:
  bool Receive();  // more into buffer_; false: the end, or nothing in time

  base::UniqueFd socket_;
  std::string buffer_;
  bool ended_ = false;
};

// "GET /path HTTP/1.1", a Host, `more` header lines, and the empty line.
std::string Get(std::string_view path, std::string_view more = "");
std::string Post(std::string_view path, std::string_view body, std::string_view more = "");

// A connection, one request, its answer.
std::optional<RawAnswer> Ask(std::uint16_t port, std::string_view request);

}  // namespace heliograph::http::testing
