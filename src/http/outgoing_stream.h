// The server's end of an EventStream: what is to be written next, framed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "http/connection_id.h"
#include "http/event_stream.h"
#include "http/open_streams.h"

namespace heliograph::http {

// Threads: one thread at a time: the handler's, then the I/O thread.
class OutgoingStream {
 public:
  // Nothing: the stream was given to another response already. `open` has counted it.
  static std::unique_ptr<OutgoingStream> Attach(std::shared_ptr<EventStream> stream,
                                                OpenStreams& open, std::size_t max_waiting_bytes,
                                                bool chunked);
  // No stream comes of it; one that another response has is left alone.
  static void Refuse(EventStream& stream) noexcept;

  ~OutgoingStream();  // ends what has not ended: the server does
  OutgoingStream(const OutgoingStream&) = delete;
  OutgoingStream& operator=(const OutgoingStream&) = delete;

  // From now on a push wakes the reader of `mailbox`, once until Take.
  void Start(std::shared_ptr<Mailbox> mailbox, ConnectionId connection);

  // More has been pushed than may wait, so it ends.
  bool overflowed() const { return stream_->state() == EventStream::State::kTooSlow; }
  // Takes what was pushed, as the next output. Call it without output. False: it was closed, and
  // nothing more will come.
  bool Take();
  void AddHeartbeat();  // call it without output
  // The last output, behind what there is: what was pushed meanwhile, and the end of a chunked
  // body. The stream has ended.
  void Finish(StreamEnd reason);

  bool has_output() const { return next_ < texts_.size() || !tail_.empty(); }
  // Output, in order, in as many pieces as there is room for; how many these are.
  std::size_t Gather(std::span<std::string_view> pieces) const;
  void Sent(std::size_t count);
  void OutputDone();  // all of it, and all before it, has been sent

  void End(StreamEnd reason) noexcept;  // without another byte

 private:
  OutgoingStream(std::shared_ptr<EventStream> stream, OpenStreams& open, bool chunked);
  std::string_view BytesOf(const StreamText& text) const {
    return chunked_ ? text.chunk() : text.text();
  }

  std::shared_ptr<EventStream> stream_;
  OpenStreams& open_;
  bool chunked_;
  bool ended_ = false;
  bool heartbeat_ = false;  // texts_ is one, which nobody pushed
  bool drained_ = true;     // somebody waits to be told: at first, then after each push
  std::vector<StreamText> texts_;
  std::size_t next_ = 0;  // of texts_
  std::size_t sent_ = 0;  // bytes of texts_[next_], then of tail_
  std::string_view tail_;
};

}  // namespace heliograph::http
