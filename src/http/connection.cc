#include "http/connection.h"

#include <utility>

#include "base/uuid.h"
#include "http/response_writer.h"

namespace heliograph::http {
namespace {

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
  return (state_ == State::kReading && output_.empty()) || state_ == State::kLingering;
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
  while (state_ == State::kReading && output_.empty()) {
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

std::string_view Connection::output() const {
  return std::string_view(output_).substr(output_sent_);
}

void Connection::Sent(std::size_t count, base::SteadyTime now) {
  output_sent_ += count;
  if (output_sent_ < output_.size()) return;
  Free(output_);
  output_sent_ = 0;
  OutputDone(now);
}

void Connection::OutputDone(base::SteadyTime now) {
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
  cause_ = cause;
  state_ = State::kFinished;
}

void Connection::Tick(base::SteadyTime now) {
  if (!output_.empty()) {
    if (now >= output_deadline_) Drop("slow-reader");
    return;
  }
  if (now < input_deadline_) return;
  if (state_ == State::kLingering) state_ = State::kFinished;
  if (state_ != State::kReading) return;
  if (begun()) return Refuse({408, "request-timeout", "The request did not arrive in time"}, now);
  Drop("");
}

void Connection::Drain(base::SteadyTime) {
  if (state_ == State::kReading && !begun() && output_.empty()) state_ = State::kFinished;
}

bool Connection::busy() const {
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
