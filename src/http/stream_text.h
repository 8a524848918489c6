// Text for streams: made once, shared by any number of them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace heliograph::http {

// A handle of two words to text that never changes. It is framed for HTTP/1.1 when it is made, so a
// stream that sends it adds nothing of its own. Threads: any thread, each with a copy of its own.
class StreamText {
 public:
  StreamText() = default;  // empty: nothing is sent
  // Copies `text` once; copies of this object share it.
  explicit StreamText(std::string_view text);

  std::string_view text() const;
  std::string_view chunk() const;  // the same as one chunk (RFC 9112, section 7.1); "" for no text

 private:
  struct Framed {
    std::string chunk;
    std::size_t text_begins = 0;
    std::size_t text_bytes = 0;
  };
  std::shared_ptr<const Framed> framed_;
};

}  // namespace heliograph::http
