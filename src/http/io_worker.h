// One I/O thread: Pistache's transport with reading and writing of our own.
//
// Pistache 0.0.5 keeps: the accepting thread, the epoll loop, the set of peers. What it does with a
// peer's bytes is replaced, because its write loop spins while a client reads slowly, its read loop
// cannot stop when a client sends more than we take, and an event that is readable and writable at
// once loses its second half.
#pragma once

#include <pistache/peer.h>
#include <pistache/reactor.h>
#include <pistache/transport.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "http/connection.h"
#include "http/handler_pool.h"
#include "http/mailbox.h"
#include "http/shared.h"

namespace heliograph::http {

class IoWorker;

// The I/O workers of a server: Pistache makes them, each registers itself.
struct IoWorkers {
  std::shared_ptr<Shared> shared;
  HandlerPool* pool = nullptr;
  std::vector<IoWorker*> all;  // complete when the listener is bound
};

// Threads: made and destroyed by the server's thread; the loop runs on one of Pistache's. What is
// called from other threads says so.
class IoWorker final : public Pistache::Tcp::Transport {
 public:
  explicit IoWorker(std::shared_ptr<IoWorkers> workers);
  ~IoWorker() override;

  // Pistache's side.
  std::shared_ptr<Pistache::Aio::Handler> clone() const override;
  void registerPoller(Pistache::Polling::Epoll& poller) override;
  void onReady(const Pistache::Aio::FdSet& fds) override;

  void Adopt(const std::shared_ptr<Pistache::Tcp::Peer>& peer);  // a client has connected

  // From any thread.
  bool running() const { return running_.load(); }  // the loop has begun
  // While draining: how many connections still receive a request or an answer; -1 = not counted
  // yet.
  std::int64_t busy() const { return busy_.load(); }
  void Nudge() noexcept { mailbox_->Nudge(); }  // makes it look at the shared state

 private:
  struct Client {
    Client(std::shared_ptr<Pistache::Tcp::Peer> its_peer, std::uint64_t its_id,
           const ConnectionLimits& limits, base::SteadyTime now)
        : peer(std::move(its_peer)), id(its_id), connection(limits, now) {}
    std::shared_ptr<Pistache::Tcp::Peer> peer;
    std::uint64_t id;
    Connection connection;
    std::int64_t held_bytes = 0;  // as counted in the shared sum
    bool ended = false;           // the client has shut its side
    bool readable = true;         // as far as we know: events tell only of changes
  };

  void HandleEvents(const Pistache::Aio::FdSet& fds);
  void AdoptWaitingPeers();
  void DeliverAnswers();
  void StartStream(Client& client, Answer&& answer);
  void Tick();
  void CountBusy();

  void Serve(ConnectionId connection);
  void Pump(Client& client);
  bool Read(Client& client);  // false: nothing was read
  void Write(Client& client);
  void Submit(Client& client, ParsedRequest parsed);
  void Account(Client& client);
  void ReportCause(Client& client);
  void Remove(int fd) noexcept;

  std::shared_ptr<IoWorkers> workers_;
  Shared& shared_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  base::UniqueFd timer_;
  std::unordered_map<int, std::unique_ptr<Client>> clients_;  // by descriptor
  std::vector<ConnectionId> again_;  // those that have more to do in the next turn
  std::vector<int> internal_;        // descriptors of Pistache's own queues
  std::uint64_t next_id_ = 1;
  base::SteadyTime now_{};
  std::atomic<bool> running_{false};
  std::atomic<std::int64_t> busy_{-1};
};

}  // namespace heliograph::http
