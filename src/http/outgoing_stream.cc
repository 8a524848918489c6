#include "http/outgoing_stream.h"

#include <algorithm>
#include <utility>

namespace heliograph::http {
namespace {

constexpr std::string_view kLastChunk = "0\r\n\r\n";

const StreamText& Heartbeat() {
  static const StreamText text(":\n\n");
  return text;
}

}  // namespace

std::unique_ptr<OutgoingStream> OutgoingStream::Attach(std::shared_ptr<EventStream> stream,
                                                       OpenStreams& open,
                                                       std::size_t max_waiting_bytes,
                                                       bool chunked) {
  if (!stream->Attach(max_waiting_bytes)) return nullptr;
  return std::unique_ptr<OutgoingStream>(new OutgoingStream(std::move(stream), open, chunked));
}

void OutgoingStream::Refuse(EventStream& stream) noexcept {
  if (stream.Attach(0)) stream.End(StreamEnd::kNotStarted);
}

OutgoingStream::OutgoingStream(std::shared_ptr<EventStream> stream, OpenStreams& open, bool chunked)
    : stream_(std::move(stream)), open_(open), chunked_(chunked) {}

OutgoingStream::~OutgoingStream() { End(StreamEnd::kShutdown); }

void OutgoingStream::Start(std::shared_ptr<Mailbox> mailbox, ConnectionId connection) {
  stream_->Start(std::move(mailbox), connection);
}

bool OutgoingStream::Take() { return stream_->Take(texts_) != EventStream::State::kClosing; }

void OutgoingStream::AddHeartbeat() {
  texts_.push_back(Heartbeat());
  heartbeat_ = true;
}

void OutgoingStream::Finish(StreamEnd reason) {
  std::vector<StreamText> rest;
  stream_->Take(rest);
  texts_.insert(texts_.end(), rest.begin(), rest.end());
  if (chunked_) tail_ = kLastChunk;
  End(reason);
}

std::size_t OutgoingStream::Gather(std::span<std::string_view> pieces) const {
  std::size_t count = 0;
  std::size_t skipped = sent_;
  for (std::size_t i = next_; i < texts_.size() && count < pieces.size(); ++i) {
    pieces[count++] = BytesOf(texts_[i]).substr(std::exchange(skipped, 0));
  }
  if (count < pieces.size() && !tail_.empty()) pieces[count++] = tail_.substr(skipped);
  return count;
}

void OutgoingStream::Sent(std::size_t count) {
  std::size_t handed = 0;
  while (next_ < texts_.size() && count > 0) {
    const std::size_t left = BytesOf(texts_[next_]).size() - sent_;
    const std::size_t now = std::min(left, count);
    count -= now;
    sent_ += now;
    if (now < left) break;
    if (!heartbeat_) handed += EventStream::CostOf(texts_[next_]);
    texts_[next_++] = StreamText();  // the last stream that sends it frees it
    sent_ = 0;
  }
  if (handed > 0) {
    stream_->Handed(handed);
    drained_ = true;
  }
  if (next_ < texts_.size()) return;
  if (next_ > 0) {
    std::vector<StreamText>().swap(texts_);
    next_ = 0;
    heartbeat_ = false;
  }
  sent_ += count;
  if (!tail_.empty() && sent_ == tail_.size()) {
    tail_ = {};
    sent_ = 0;
  }
}

void OutgoingStream::OutputDone() {
  if (!drained_ || ended_ || stream_->waiting_bytes() != 0) return;
  drained_ = false;
  stream_->CallDrained();
}

void OutgoingStream::End(StreamEnd reason) noexcept {
  if (std::exchange(ended_, true)) return;
  open_.Ended(reason);
  stream_->End(reason);
}

}  // namespace heliograph::http
