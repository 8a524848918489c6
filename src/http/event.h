// Server-Sent Events as text (WHATWG HTML, section 9.2).
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "http/stream_text.h"

namespace heliograph::http {

struct Event {
  // What a client that comes again sends as Last-Event-ID. None = its last one stays; "" = it
  // forgets it. With CR, LF or U+0000 in it, it is left out: a client would end it there, or ignore
  // it.
  std::optional<std::string_view> id;
  std::string_view type;  // "" = the client takes it as "message"; with CR or LF it is left out
  // Any text; UTF-8, for clients read nothing else. CR, LF and CRLF in it reach the client as LF.
  std::string_view data;
};

// One event, whatever is in its parts. Threads: any thread.
StreamText FormatEvent(const Event& event);

// How long a client is to wait before it comes again after the stream has ended. No event.
StreamText FormatRetry(std::chrono::milliseconds wait);

}  // namespace heliograph::http
