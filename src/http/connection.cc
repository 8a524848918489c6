#include "http/connection.h"

#include <algorithm>
#include <utility>

#include "base/uuid.h"
#include "http/response_writer.h"

namespace heliograph::http {
namespace {

constexpr std::string_view kSlowReader = "slow-reader";

// Gives the memory back, which an assignment of "" does not.
void Free(std::string& text) { std::string().swap(text); }

}  // namespace

Connection::Connection(const ConnectionLimits& limits, base::SteadyTime now)
    : limits_(limits),
      parser_(limits.parser),
      input_deadline_(now + limits.request_timeout),
      output_deadline_(now) {}

bool Connection::begun() const { return parser_.begun() || !unparsed().empty(); }

bool Connection::wants_input() const {
  if (client_ended_) return false;
  return (state_ == State::kReading && !has_output()) || state_ == State::kLingering;
}

void Connection::Receive(std::string_view bytes, base::SteadyTime now) {
  if (state_ != State::kReading) return;
  input_.append(bytes);
  Advance(now);
}

void Connection::ReceiveEnd(base::SteadyTime now) {
  client_ended_ = true;
  if (state_ == State::kLingering) state_ = State::kFinished;
  if (state_ == State::kReading) Advance(now);
}

void Connection::Advance(base::SteadyTime now) {
  while (state_ == State::kReading && !has_output()) {
    std::size_t taken = 0;
    const auto progress = parser_.Parse(unparsed(), taken);
    input_taken_ += taken;
    DiscardTaken();
    switch (progress) {
      case RequestParser::Progress::kComplete:
        request_bytes_ = parser_.body_bytes();
        request_ = parser_.Take();
        request_due_ = false;
        state_ = State::kHandling;
        return;
      case RequestParser::Progress::kRefused:
        return Refuse(parser_.refusal(), now);
      case RequestParser::Progress::kHead:
        if (parser_.expects_continue() && unparsed().empty()) {
          BeginOutput("HTTP/1.1 100 Continue\r\n\r\n", now);
        }
        continue;
      case RequestParser::Progress::kNeedMore:
        return AwaitRequest(now);
    }
  }
}

// Moves what is left to the front only when that is cheap, and keeps no large buffer for a client
// that sends nothing.
void Connection::DiscardTaken() {
  if (input_taken_ < input_.size() && input_taken_ <= limits_.parser.header_bytes) return;
  input_.erase(0, input_taken_);
  input_taken_ = 0;
  if (input_.empty() && input_.capacity() > limits_.parser.header_bytes) Free(input_);
}

void Connection::AwaitRequest(base::SteadyTime now) {
  if (client_ended_) {
    if (begun()) return Refuse({400, "incomplete", "The request ends before it is complete"}, now);
    state_ = State::kFinished;
  } else if (begun() && !request_due_) {
    request_due_ = true;
    input_deadline_ = now + limits_.request_timeout;
  }
}

std::optional<ParsedRequest> Connection::TakeRequest() {
  return std::exchange(request_, std::nullopt);
}

void Connection::BeginOutput(std::string bytes, base::SteadyTime now) {
  if (!output_.empty()) {
    output_ += bytes;
    return;
  }
  output_deadline_ = now + limits_.send_timeout;
  output_ = std::move(bytes);
}

void Connection::Answer(std::string bytes, bool close, base::SteadyTime now) {
  if (state_ != State::kHandling) return;
  request_bytes_ = 0;
  state_ = close ? State::kEnding : State::kReading;
  input_deadline_ = now + limits_.idle_timeout;
  BeginOutput(std::move(bytes), now);
}

void Connection::BeginStream(std::string head, std::unique_ptr<OutgoingStream> stream, bool close,
                             base::SteadyTime now) {
  if (state_ != State::kHandling) return stream->End(StreamEnd::kClientGone);
  Answer(std::move(head), close, now);
  state_ = State::kStreaming;
  stream_ = std::move(stream);
  close_after_stream_ = close;
  // It may last for days: nothing is kept for it but what was sent ahead.
  input_.erase(0, input_taken_);
  input_taken_ = 0;
  input_.shrink_to_fit();
}

// What was pushed is taken when all before it has been sent: so each such part has its time to be
// sent, and a client that always lags a little behind is not dropped.
bool Connection::ContinueStream(base::SteadyTime now) {
  if (state_ != State::kStreaming) return false;
  if (stream_->overflowed()) {
    Drop(kSlowReader);
    return false;
  }
  if (has_output()) return false;
  if (!stream_->Take()) {
    FinishStream(StreamEnd::kClosed, close_after_stream_, now);
    return true;
  }
  if (has_output()) output_deadline_ = now + limits_.send_timeout;
  return has_output();
}

void Connection::EndStreamOfGoneClient(base::SteadyTime now) {
  if (state_ == State::kStreaming) FinishStream(StreamEnd::kClientGone, true, now);
}

void Connection::FinishStream(StreamEnd reason, bool close, base::SteadyTime now) {
  if (stream_->overflowed()) return Drop(kSlowReader);
  const bool had_output = has_output();
  stream_->Finish(reason);
  state_ = close ? State::kEnding : State::kReading;
  input_deadline_ = now + limits_.idle_timeout;
  if (had_output) return;
  output_deadline_ = now + limits_.send_timeout;
  if (!has_output()) OutputDone(now);
}

void Connection::Refuse(const Refusal& refusal, base::SteadyTime now) {
  const std::string id = base::NewUuid();
  const Response problem =
      Problem(refusal.status, refusal.type, ReasonPhrase(refusal.status), refusal.detail);
  AnswerFrame frame;
  frame.request_id = id;
  Free(input_);
  input_taken_ = 0;
  request_.reset();
  request_bytes_ = 0;
  cause_ = refusal.type;
  state_ = State::kEnding;
  BeginOutput(WriteAnswer(problem, frame), now);
}

std::size_t Connection::GatherOutput(std::span<std::string_view> pieces) const {
  std::size_t count = 0;
  if (!output_.empty()) pieces[count++] = std::string_view(output_).substr(output_sent_);
  if (stream_) count += stream_->Gather(pieces.subspan(count));
  return count;
}

std::string_view Connection::output() const {
  std::string_view first;
  GatherOutput({&first, 1});
  return first;
}

void Connection::Sent(std::size_t count, base::SteadyTime now) {
  const std::size_t own = std::min(count, output_.size() - output_sent_);
  output_sent_ += own;
  if (output_sent_ < output_.size()) return;
  Free(output_);
  output_sent_ = 0;
  if (stream_) stream_->Sent(count - own);
  if (!has_output()) OutputDone(now);
}

void Connection::OutputDone(base::SteadyTime now) {
  if (state_ == State::kStreaming) {
    input_deadline_ = now + limits_.stream_heartbeat;
    return stream_->OutputDone();
  }
  stream_.reset();
  if (state_ == State::kReading) return Advance(now);
  if (state_ != State::kEnding) return;
  end_of_output_ = true;
  Free(input_);
  input_taken_ = 0;
  state_ = client_ended_ ? State::kFinished : State::kLingering;
  input_deadline_ = now + limits_.linger_timeout;
}

bool Connection::TakeEndOfOutput() { return std::exchange(end_of_output_, false); }

void Connection::Drop(std::string_view cause) {
  if (stream_) {
    stream_->End(cause == kSlowReader ? StreamEnd::kTooSlow : StreamEnd::kClientGone);
    stream_.reset();
  }
  cause_ = cause;
  state_ = State::kFinished;
}

void Connection::Tick(base::SteadyTime now) {
  if (has_output()) {
    if (now >= output_deadline_) Drop(kSlowReader);
    return;
  }
  if (now < input_deadline_) return;
  if (state_ == State::kStreaming) {
    stream_->AddHeartbeat();
    output_deadline_ = now + limits_.send_timeout;
  }
  if (state_ == State::kLingering) state_ = State::kFinished;
  if (state_ != State::kReading) return;
  if (begun()) return Refuse({408, "request-timeout", "The request did not arrive in time"}, now);
  Drop("");
}

void Connection::Drain(base::SteadyTime now) {
  if (state_ == State::kStreaming) FinishStream(StreamEnd::kShutdown, true, now);
  if (state_ == State::kReading && !begun() && !has_output()) state_ = State::kFinished;
}

bool Connection::busy() const {
  if (stream_) return false;  // nobody waits for a client to read what a stream has sent
  return state_ == State::kHandling || !output_.empty() || (state_ == State::kReading && begun());
}

bool Connection::receiving_body() const {
  return state_ == State::kReading && parser_.body_bytes() > 0;
}

std::size_t Connection::held_bytes() const {
  return input_.capacity() + parser_.body_bytes() + request_bytes_ + output_.capacity();
}

std::string_view Connection::TakeCause() { return std::exchange(cause_, std::string_view()); }

}  // namespace heliograph::http
