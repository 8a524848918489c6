// One client's connection as a state machine: bytes and time in, requests and bytes out. It touches
// no socket.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/outgoing_stream.h"
#include "http/request_parser.h"

namespace heliograph::http {

struct ConnectionLimits {
  ParserLimits parser;
  std::chrono::milliseconds request_timeout{0};   // from a request's first byte to its last
  std::chrono::milliseconds idle_timeout{0};      // between requests
  std::chrono::milliseconds send_timeout{0};      // for the client to take a whole answer, or what
                                                  // a stream had for it at a time
  std::chrono::milliseconds linger_timeout{0};    // for the client to close after the last answer
  std::chrono::milliseconds stream_heartbeat{0};  // of silence, then a stream sends a comment
};

// One request is with its handler at a time, and the next is read only when its answer has been
// taken, so answers leave in order and what a client can make us hold is one request and one
// answer. An answer may be a stream: then nothing is read until it ends, except that the client has
// gone. Threads: one thread.
class Connection {
 public:
  Connection(const ConnectionLimits& limits, base::SteadyTime now);

  // Input. Call Receive only while wants_input(): what a client sends ahead stays in its socket.
  bool wants_input() const;
  void Receive(std::string_view bytes, base::SteadyTime now);
  void ReceiveEnd(
      base::SteadyTime now);  // the client will send no more; it may still want its answers

  // A complete request, once; then its answer is due.
  std::optional<ParsedRequest> TakeRequest();
  void Answer(std::string bytes, bool close, base::SteadyTime now);
  // Begins an answer that goes on: `head`, then what the stream has. `close`: it is the last one.
  void BeginStream(std::string head, std::unique_ptr<OutgoingStream> stream, bool close,
                   base::SteadyTime now);
  bool streaming() const { return state_ == State::kStreaming; }
  // Takes what was pushed. True: there is output that was not there before.
  bool ContinueStream(base::SteadyTime now);
  // The client has closed at least its writing side, whatever it sent before. It ends a stream,
  // since most that do so have gone altogether; one that still reads sees a complete answer.
  void EndStreamOfGoneClient(base::SteadyTime now);

  // Answers with a problem, reads nothing any more and closes. `cause` is told by TakeCause.
  void Refuse(const Refusal& refusal, base::SteadyTime now);

  void Drop(std::string_view cause);  // without an answer

  // Output: what is to be written now, in order, in as many pieces as there is room for; how many
  // these are. Tell Sent how much was written.
  std::size_t GatherOutput(std::span<std::string_view> pieces) const;
  std::string_view output() const;  // the first piece, "" = there is none
  void Sent(std::size_t count, base::SteadyTime now);
  // True once: everything is written and nothing follows, so the writing side is to be shut.
  bool TakeEndOfOutput();
  // To be closed now.
  bool finished() const { return state_ == State::kFinished; }

  void Tick(base::SteadyTime now);  // looks at the deadlines
  // Ends an idle connection or a stream; call again after each answer.
  void Drain(base::SteadyTime now);
  bool busy() const;  // a request is being received or answered, but not by a stream

  bool receiving_body() const;
  std::size_t held_bytes() const;  // input, request and answer
  // Why the client was refused or dropped, once; "" = it was not.
  std::string_view TakeCause();

 private:
  enum class State {
    kReading,    // waits for a request or receives one
    kHandling,   // the handler has it
    kStreaming,  // its answer goes on
    kEnding,     // the last answer is being written
    kLingering,  // it is written; what the client still sends is thrown away, so that it is not
                 // reset before it has read
    kFinished,
  };

  void Advance(base::SteadyTime now);
  void BeginOutput(std::string bytes, base::SteadyTime now);
  void OutputDone(base::SteadyTime now);
  bool has_output() const { return !output_.empty() || (stream_ && stream_->has_output()); }
  void FinishStream(StreamEnd reason, bool close, base::SteadyTime now);
  void AwaitRequest(base::SteadyTime now);
  void DiscardTaken();
  std::string_view unparsed() const { return std::string_view(input_).substr(input_taken_); }
  bool begun() const;

  ConnectionLimits limits_;
  RequestParser parser_;
  State state_ = State::kReading;
  bool client_ended_ = false;
  bool end_of_output_ = false;
  bool request_due_ = false;  // request_deadline_ holds for a request that has begun
  std::string input_;
  std::size_t input_taken_ = 0;
  std::optional<ParsedRequest> request_;
  std::size_t request_bytes_ = 0;  // of the one with its handler
  std::string output_;
  std::size_t output_sent_ = 0;
  std::unique_ptr<OutgoingStream> stream_;  // its output follows output_
  bool close_after_stream_ = false;
  base::SteadyTime input_deadline_;   // in kReading and kLingering; in kStreaming the heartbeat's
  base::SteadyTime output_deadline_;  // while there is output
  std::string_view cause_;
};

}  // namespace heliograph::http
