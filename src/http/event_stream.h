// An answer that goes on: the end at which a handler, and whoever it tells, pushes text.
//
//   auto stream = std::make_shared<http::EventStream>(http::StreamCallbacks{
//       .on_end = [&hub, id](http::StreamEnd) { hub.Remove(id); }});
//   hub.Add(id, stream);                     // whoever has it may push from now on
//   return http::StreamResponse(stream);     // the server sends the head, then what was pushed
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "http/connection_id.h"
#include "http/message.h"
#include "http/stream_text.h"

namespace heliograph::http {

class Mailbox;

enum class StreamEnd {
  kClosed,      // by Close(): what was pushed before it is on its way
  kClientGone,  // it closed the connection, or only its writing side
  kTooSlow,     // more waited for the client than may, or it took nothing for too long
  kShutdown,    // the server ends; the client sees a complete answer, and what was pushed before
  kNotStarted,  // nothing of it was sent: a HEAD request, too many streams, a status that is not
                // 200
};

// Both must neither block nor throw; they may call any member of any stream. They are destroyed
// (with what they hold) once the stream has ended. What they refer to outlives the server.
struct StreamCallbacks {
  // Exactly once for a stream that was returned in a Response, whatever ended it, Close() too; from
  // then on Push takes nothing. On an I/O thread; for kNotStarted on the handler's, after it has
  // returned; for kShutdown perhaps on the one that destroys the server. One that is never returned
  // has no end.
  std::function<void(StreamEnd)> on_end{};
  // Nothing that was pushed waits any more: when the head is sent, then each time that the client's
  // socket has taken all pushed texts. For who has more to push than may wait, as stored events. On
  // an I/O thread, never after on_end.
  std::function<void()> on_drained{};
};

// The server keeps what was pushed until the client's socket takes it, in order, each text whole.
// It sends a comment as a heartbeat where nothing was sent for ServerConfig::stream_heartbeat. More
// than max_stream_bytes that wait end the stream: its connection is cut, so that the client knows
// that something is missing and comes again (with Last-Event-ID). Threads: any thread. No member
// blocks, or calls back: callbacks come from the server's threads.
class EventStream {
 public:
  explicit EventStream(StreamCallbacks callbacks = {});
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Whether it was taken. False: the stream ends, or has ended, also because this was too much (a
  // text that is larger than the limit is taken where nothing waits). It may be called before the
  // stream is returned in a Response; kBytesBeforeStart is the limit until then. Empty text sends
  // nothing.
  bool Push(StreamText text);
  // Sends what was pushed, then the end of the answer. The connection may then serve other
  // requests.
  void Close();

  // False once it is closed or ended, or is about to end.
  bool open() const;
  // What waits for the client's socket: the pushed texts and a little for each.
  std::size_t waiting_bytes() const;

  static constexpr std::size_t kBytesBeforeStart = std::size_t{96} * 1024;

 private:
  friend class OutgoingStream;
  enum class State { kOpen, kClosing, kTooSlow, kEnded };

  // The server's side.
  bool Attach(std::size_t max_waiting_bytes);  // false: it was another response's already
  void Start(std::shared_ptr<Mailbox> mailbox, ConnectionId connection);
  State state() const;
  State Take(std::vector<StreamText>& into);  // `into` is empty
  void Handed(std::size_t cost);              // to the client's socket
  void CallDrained() noexcept;
  void End(StreamEnd reason) noexcept;

  static std::size_t CostOf(const StreamText& text);

  mutable std::mutex mutex_;
  State state_ = State::kOpen;             // guarded by mutex_
  bool attached_ = false;                  // guarded by mutex_
  bool announced_ = false;                 // the I/O thread will look; guarded by mutex_
  std::size_t waiting_bytes_ = 0;          // pushed_ and what is being sent; guarded by mutex_
  std::size_t limit_ = kBytesBeforeStart;  // of waiting_bytes_; guarded by mutex_
  std::vector<StreamText> pushed_;         // guarded by mutex_; no memory while empty
  std::shared_ptr<Mailbox> mailbox_;       // none before the start; guarded by mutex_
  ConnectionId connection_;                // guarded by mutex_
  StreamCallbacks callbacks_;              // the server's side alone, after the start
};

// 200 with what Server-Sent Events need: text/event-stream, and neither caches nor proxies that
// hold text back.
Response StreamResponse(std::shared_ptr<EventStream> stream);

}  // namespace heliograph::http
