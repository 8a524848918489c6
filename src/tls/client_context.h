// TLS for connections that somebody else's code opens (libmosquitto's): one OpenSSL context, shared
// by as many connections of one thread as wanted, each with an identity of its own and with the
// peer's certificate and host name verified.
//
// That code creates the connection's object and starts the handshake in one call, so what belongs
// to the one connection is set from inside: at the handshake's first step OpenSSL calls back,
// before anything is sent, and the scope that is open then says who connects to whom.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "tls/identity.h"

struct ssl_ctx_st;
struct ssl_st;

namespace heliograph::tls {

enum class Buffers {
  kLarge,  // one connection with much traffic: reads ahead 64 KiB
  kSmall,  // thousands of connections: reads ahead one record, no buffers while idle
};

// TLS 1.2 at least. Threads: one thread, but the constructor and the destructor.
class ClientContext {
 public:
  // kInvalidArgument names the file.
  static base::Result<std::unique_ptr<ClientContext>> Create(const std::string& ca_file,
                                                             Buffers buffers);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  ssl_ctx_st* handle() noexcept;

  // While it lives, handshakes that begin on this context are by `identity` with `host`. One at a
  // time.
  class Handshake {
   public:
    Handshake(ClientContext& context, const Identity& identity, const std::string& host);
    ~Handshake();
    Handshake(const Handshake&) = delete;
    Handshake& operator=(const Handshake&) = delete;

    // Whether one began and was given its identity and the name to verify. Never go on without.
    bool prepared() const noexcept { return prepared_; }

   private:
    friend class ClientContext;
    ClientContext& context_;
    const Identity& identity_;
    const std::string& host_;
    bool prepared_ = false;
  };

  // Why the newest certificate of a peer was refused, once; "" when none was. Of the connection
  // whose handshake went on last.
  std::string TakeRefusal();

 private:
  struct Callbacks;
  struct State;
  explicit ClientContext(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
  Handshake* handshake_ = nullptr;
  std::string refusal_;
};

// Questions about one connection.
bool IsHandshakeFinished(const ssl_st& connection) noexcept;
bool WaitsToWrite(
    const ssl_st& connection) noexcept;  // its last step stopped because the socket was full
bool WaitsToRead(const ssl_st& connection) noexcept;   // its last step found no whole record
bool HasReadAhead(const ssl_st& connection) noexcept;  // bytes that were taken from the socket and
                                                       // that poll() does not see

// Puts a buffer between one connection and its socket, after the handshake: what is written to the
// connection then leaves with FlushWrites, many records in one call of the system. libmosquitto
// writes a record a packet.
bool BufferWrites(ssl_st& connection) noexcept;
bool HasUnwritten(const ssl_st& connection) noexcept;
bool FlushWrites(
    ssl_st& connection) noexcept;  // as far as the socket takes it; false when it is broken
void StopBuffering(ssl_st& connection) noexcept;  // what was not flushed is dropped

// Errors that a closed connection left behind are otherwise taken for those of the next one on this
// thread.
void ForgetErrors() noexcept;

}  // namespace heliograph::tls
