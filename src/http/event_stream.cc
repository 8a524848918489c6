#include "http/event_stream.h"

#include <exception>
#include <utility>

#include "http/mailbox.h"
#include "log/log.h"

namespace heliograph::http {
namespace {

// What a text costs beside its bytes when nobody else has it, so that the limit holds for tiny ones
// too.
constexpr std::size_t kTextOverhead = 128;

template <class Callback, class... Arguments>
void CallBack(const Callback& callback, Arguments... arguments) noexcept {
  if (!callback) return;
  try {
    callback(arguments...);
  } catch (const std::exception& error) {
    log::Logger("http").Error("a stream's callback threw", {{"reason", error.what()}});
  } catch (...) {
    log::Logger("http").Error("a stream's callback threw");
  }
}

}  // namespace

EventStream::EventStream(StreamCallbacks callbacks) : callbacks_(std::move(callbacks)) {}

std::size_t EventStream::CostOf(const StreamText& text) {
  return text.chunk().size() + kTextOverhead;
}

bool EventStream::Push(StreamText text) {
  if (text.text().empty()) return open();
  const std::size_t cost = CostOf(text);
  std::vector<StreamText> dropped;
  std::shared_ptr<Mailbox> wake;
  ConnectionId connection;
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kOpen) return false;
    taken = waiting_bytes_ == 0 || waiting_bytes_ + cost <= limit_;
    if (taken) {
      pushed_.push_back(std::move(text));
      waiting_bytes_ += cost;
    } else {
      state_ = State::kTooSlow;
      dropped.swap(pushed_);
    }
    // Its end is told even where the I/O thread knows of pushed text already: it may be waiting for
    // the socket.
    if (!announced_ || !taken) wake = mailbox_;
    announced_ = true;
    connection = connection_;
  }
  if (wake) wake->PostReady(connection);
  return taken;
}

void EventStream::Close() {
  std::shared_ptr<Mailbox> wake;
  ConnectionId connection;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kOpen) return;
    state_ = State::kClosing;
    if (!announced_) wake = mailbox_;
    announced_ = true;
    connection = connection_;
  }
  if (wake) wake->PostReady(connection);
}

bool EventStream::open() const { return state() == State::kOpen; }

std::size_t EventStream::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return waiting_bytes_;
}

bool EventStream::Attach(std::size_t max_waiting_bytes) {
  const std::lock_guard lock(mutex_);
  if (attached_) return false;
  attached_ = true;
  limit_ = max_waiting_bytes;
  return true;
}

void EventStream::Start(std::shared_ptr<Mailbox> mailbox, ConnectionId connection) {
  const std::lock_guard lock(mutex_);
  mailbox_ = std::move(mailbox);
  connection_ = connection;
  announced_ = true;  // it looks once the head is sent
}

EventStream::State EventStream::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

EventStream::State EventStream::Take(std::vector<StreamText>& into) {
  const std::lock_guard lock(mutex_);
  into.swap(pushed_);
  announced_ = false;
  return state_;
}

void EventStream::Handed(std::size_t cost) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kEnded) waiting_bytes_ -= cost;
}

void EventStream::CallDrained() noexcept { CallBack(callbacks_.on_drained); }

void EventStream::End(StreamEnd reason) noexcept {
  std::vector<StreamText> dropped;
  StreamCallbacks callbacks;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kEnded) return;
    state_ = State::kEnded;
    waiting_bytes_ = 0;
    dropped.swap(pushed_);
    mailbox_.reset();
    callbacks = std::exchange(callbacks_, {});
  }
  CallBack(callbacks.on_end, reason);
}

Response StreamResponse(std::shared_ptr<EventStream> stream) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}};
  response.stream = std::move(stream);
  return response;
}

}  // namespace heliograph::http
