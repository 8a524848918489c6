#include "http/io_worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/unique_fd.h"
#include "log/log.h"

namespace heliograph::http {
namespace {

namespace polling = Pistache::Polling;

constexpr std::chrono::milliseconds kTick{100};
constexpr int kMaxTurns =
    16;  // reads in a row from one client, so that it cannot keep the others waiting
constexpr int kSendBufferBytes = 128 * 1024;  // bounds what the kernel holds for a slow reader
// Of a stream, of which there may be thousands; a client that takes nothing is noticed sooner, too.
constexpr int kStreamSendBufferBytes = 32 * 1024;
constexpr std::size_t kMaxPieces = 64;          // that are written at once
constexpr std::int64_t kExtraConnections = 64;  // that get a polite 503 beyond the limit

// Pistache asks for a handler; ours only passes on who has connected.
class PeerHandler final : public Pistache::Tcp::Handler {
 public:
  std::shared_ptr<Pistache::Tcp::Handler> clone() const override {
    return std::make_shared<PeerHandler>();
  }
  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>& peer) override {
    static_cast<IoWorker*>(transport())->Adopt(peer);
  }
  void onInput(const char*, std::size_t, const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
};

// Whether the client will send no more. Pistache keeps that flag, but offers no member to ask for
// it; the base is private, which a cast of this form may pass.
bool SaysEnd(const Pistache::Aio::FdSet::Entry& event) {
  const auto& flags = ((const polling::Event&)event).flags;  // NOLINT(google-readability-casting)
  return flags.hasFlag(polling::NotifyOn::Shutdown) || flags.hasFlag(polling::NotifyOn::Hangup);
}

base::UniqueFd NewTimer(std::chrono::milliseconds interval) {
  base::UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  itimerspec spec{};
  spec.it_interval.tv_nsec = std::chrono::nanoseconds(interval).count();
  spec.it_value = spec.it_interval;
  ::timerfd_settime(timer.get(), 0, &spec, nullptr);
  return timer;
}

void SetSocketOptions(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
}

// A client that vanished without a word acknowledges nothing; it would take the kernel a quarter of
// an hour to give up.
void SetStreamOptions(int fd, std::chrono::milliseconds send_timeout) {
  const auto milliseconds = static_cast<unsigned>(send_timeout.count());
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kStreamSendBufferBytes, sizeof kStreamSendBufferBytes);
}

}  // namespace

IoWorker::IoWorker(std::shared_ptr<IoWorkers> workers)
    : Transport(std::make_shared<PeerHandler>()),
      workers_(std::move(workers)),
      shared_(*workers_->shared),
      timer_(NewTimer(kTick)) {}

IoWorker::~IoWorker() {
  while (!clients_.empty()) {
    ::close(clients_.begin()->first);  // the loop has ended: nobody else closes them
    shared_.connections.fetch_sub(1);
    shared_.metrics.ConnectionsChanged(-1);
    clients_.erase(clients_.begin());
  }
}

std::shared_ptr<Pistache::Aio::Handler> IoWorker::clone() const {
  return std::make_shared<IoWorker>(workers_);
}

void IoWorker::registerPoller(polling::Epoll& poller) {
  Transport::registerPoller(poller);
  const polling::NotifyOn read = polling::NotifyOn::Read;
  poller.addFd(mailbox_->fd(), Pistache::Flags<polling::NotifyOn>(read),
               polling::Tag(static_cast<std::uint64_t>(mailbox_->fd())));
  poller.addFd(timer_.get(), Pistache::Flags<polling::NotifyOn>(read),
               polling::Tag(static_cast<std::uint64_t>(timer_.get())));
  workers_->all.push_back(this);
}

// An exception that left here would end the process.
void IoWorker::onReady(const Pistache::Aio::FdSet& fds) {
  try {
    HandleEvents(fds);
  } catch (const std::exception& error) {
    log::Logger("http").Error("an I/O thread failed to handle events", {{"reason", error.what()}});
  } catch (...) {
    log::Logger("http").Error("an I/O thread failed to handle events");
  }
}

void IoWorker::HandleEvents(const Pistache::Aio::FdSet& fds) {
  now_ = std::chrono::steady_clock::now();
  running_.store(true);
  bool answers = false;
  bool tick = false;
  bool peers_wait = false;
  std::vector<ConnectionId> touched;
  // All are sorted before any is handled: a descriptor that is closed meanwhile may be used again.
  for (const auto& event : fds) {
    const int fd = static_cast<int>(event.getTag().value());
    const auto client = clients_.find(fd);
    if (client != clients_.end()) {
      client->second->readable = true;
      client->second->ended = client->second->ended || SaysEnd(event);
      touched.push_back({fd, client->second->id});
    } else if (fd == mailbox_->fd()) {
      answers = true;
    } else if (fd == timer_.get()) {
      tick = true;
    } else {
      peers_wait = true;
      if (std::find(internal_.begin(), internal_.end(), fd) == internal_.end())
        internal_.push_back(fd);
    }
  }
  if (answers) DeliverAnswers();
  for (const ConnectionId& connection : touched) Serve(connection);
  if (peers_wait || tick) AdoptWaitingPeers();
  if (tick) Tick();
  for (const ConnectionId& connection : std::exchange(again_, {})) Serve(connection);
  if (shared_.draining.load()) CountBusy();
}

// Pistache's queue of new peers forgets to tell of one that is added just while it is found empty
// (its event is cleared after the look). So it is asked once more, and again with each tick.
void IoWorker::AdoptWaitingPeers() {
  for (int look = 0; look < 2; ++look) {
    std::vector<polling::Event> events;
    for (const int fd : internal_) {
      events.emplace_back(polling::Tag(static_cast<std::uint64_t>(fd)))
          .flags.setFlag(polling::NotifyOn::Read);
    }
    if (!events.empty()) Transport::onReady(Pistache::Aio::FdSet(std::move(events)));
  }
}

void IoWorker::Adopt(const std::shared_ptr<Pistache::Tcp::Peer>& peer) {
  const int fd = peer->fd();
  SetSocketOptions(fd);
  const std::uint64_t id = next_id_++;
  auto client = std::make_unique<Client>(peer, id, shared_.limits, now_);
  const std::int64_t open = shared_.connections.fetch_add(1) + 1;
  shared_.metrics.ConnectionsChanged(+1);
  if (shared_.draining.load()) {
    client->connection.Drop("draining");
  } else if (open > shared_.config.max_connections + kExtraConnections) {
    client->connection.Drop("too-many-connections");
  } else if (open > shared_.config.max_connections) {
    client->connection.Refuse(
        {503, "too-many-connections", "This service has as many connections as it takes"}, now_);
  }
  clients_[fd] = std::move(client);
  again_.push_back({fd, id});  // once Pistache has put it into its epoll set
}

void IoWorker::DeliverAnswers() {
  for (Answer& answer : mailbox_->TakeAll()) {
    const auto client = clients_.find(answer.connection.fd);
    if (client == clients_.end() || client->second->id != answer.connection.id) {
      if (answer.stream) answer.stream->End(StreamEnd::kClientGone);
      continue;
    }
    const ConnectionId connection = answer.connection;
    if (answer.stream) {
      StartStream(*client->second, std::move(answer));
    } else {
      client->second->connection.Answer(std::move(answer.bytes), answer.close, now_);
    }
    Serve(connection);
  }
  for (const ConnectionId& connection : mailbox_->TakeReady()) Serve(connection);
}

void IoWorker::StartStream(Client& client, Answer&& answer) {
  SetStreamOptions(client.peer->fd(), shared_.limits.send_timeout);
  answer.stream->Start(mailbox_, answer.connection);
  client.connection.BeginStream(std::move(answer.bytes), std::move(answer.stream), answer.close,
                                now_);
}

void IoWorker::Tick() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto size = ::read(timer_.get(), &expirations, sizeof expirations);
  for (const auto& [fd, client] : clients_) {
    client->connection.Tick(now_);
    if (client->connection.finished() || !client->connection.output().empty())
      again_.push_back({fd, client->id});
  }
}

void IoWorker::CountBusy() {
  std::vector<ConnectionId> ended;
  for (const auto& [fd, client] : clients_) {
    const bool streaming = client->connection.streaming();
    client->connection.Drain(now_);
    if (streaming || client->connection.finished()) ended.push_back({fd, client->id});
  }
  for (const ConnectionId& connection : ended) Serve(connection);  // the loop may end after this
  busy_.store(std::count_if(clients_.begin(), clients_.end(),
                            [](const auto& client) { return client.second->connection.busy(); }));
}

void IoWorker::Serve(ConnectionId connection) {
  const auto found = clients_.find(connection.fd);
  if (found == clients_.end() || found->second->id != connection.id) return;
  Client& client = *found->second;
  try {
    Pump(client);
    Account(client);
  } catch (const std::exception& error) {
    log::Logger("http").Error("a connection failed", {{"reason", error.what()}});
    client.connection.Drop("internal");
  }
  ReportCause(client);
  if (client.connection.finished()) Remove(connection.fd);
}

void IoWorker::Pump(Client& client) {
  for (int turn = 0; turn < kMaxTurns; ++turn) {
    if (client.ended) client.connection.EndStreamOfGoneClient(now_);
    if (client.connection.finished()) return;
    Write(client);
    if (client.connection.ContinueStream(now_)) continue;
    if (client.connection.finished()) return;
    if (auto request = client.connection.TakeRequest()) {
      Submit(client, *std::move(request));
    } else if (!Read(client)) {
      return;
    }
  }
  again_.push_back({client.peer->fd(), client.id});
  mailbox_->Nudge();
}

// Before the client is told, so that the metric is true when it is.
void IoWorker::ReportCause(Client& client) {
  const std::string_view cause = client.connection.TakeCause();
  if (cause.empty()) return;
  shared_.metrics.Rejected(cause);
  log::Logger("http").Debug("refused", {{"cause", cause}, {"from", client.peer->address().host()}});
}

void IoWorker::Write(Client& client) {
  ReportCause(client);
  const int fd = client.peer->fd();
  std::array<std::string_view, kMaxPieces> pieces;
  std::array<iovec, kMaxPieces> parts;  // NOLINT: filled below
  while (const std::size_t count = client.connection.GatherOutput(pieces)) {
    std::transform(pieces.begin(), pieces.begin() + count, parts.begin(),
                   [](std::string_view piece) {
                     return iovec{const_cast<char*>(piece.data()), piece.size()};
                   });
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      client.connection.Sent(static_cast<std::size_t>(sent), now_);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const auto interest =
          polling::NotifyOn::Read | polling::NotifyOn::Write | polling::NotifyOn::Shutdown;
      reactor()->modifyFd(key(), fd, interest, polling::Mode::Edge);
      return;
    } else if (errno != EINTR) {
      return client.connection.Drop("");  // it has gone
    }
  }
  if (client.connection.TakeEndOfOutput()) ::shutdown(fd, SHUT_WR);
}

bool IoWorker::Read(Client& client) {
  if (!client.readable || !client.connection.wants_input()) return false;
  std::array<char, 16 * 1024> buffer;  // NOLINT: filled by recv
  const ssize_t size = ::recv(client.peer->fd(), buffer.data(), buffer.size(), 0);
  if (size > 0) {
    // Less than asked for: it is empty now, and more will be an event. Only an end that has come
    // already will not.
    client.readable = static_cast<std::size_t>(size) == buffer.size() || client.ended;
    client.connection.Receive({buffer.data(), static_cast<std::size_t>(size)}, now_);
    Account(client);
    if (shared_.held_bytes.load() > shared_.config.max_held_bytes &&
        client.connection.receiving_body()) {
      client.connection.Refuse(
          {503, "overloaded", "This service holds as much as it can; try again soon"}, now_);
    }
    return true;
  }
  if (size == 0) {
    client.readable = false;
    client.connection.ReceiveEnd(now_);
    return true;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    client.readable = false;
    return false;
  }
  if (errno != EINTR) client.connection.Drop("");
  return true;
}

void IoWorker::Submit(Client& client, ParsedRequest parsed) {
  parsed.request.remote_address = client.peer->address().host();
  Job job{std::move(parsed), {client.peer->fd(), client.id}, mailbox_, now_};
  if (workers_->pool->Submit(std::move(job))) return;
  // NOLINTNEXTLINE(bugprone-use-after-move): a job that is not taken is untouched
  const bool close = !job.parsed.keep_alive || shared_.draining.load();
  client.connection.Answer(shared_.WriteOverloaded(job.parsed), close, now_);
}

void IoWorker::Account(Client& client) {
  const auto held = static_cast<std::int64_t>(client.connection.held_bytes());
  shared_.held_bytes.fetch_add(held - client.held_bytes);
  client.held_bytes = held;
}

void IoWorker::Remove(int fd) noexcept {
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  const std::shared_ptr<Pistache::Tcp::Peer> peer = found->second->peer;
  shared_.held_bytes.fetch_sub(found->second->held_bytes);
  clients_.erase(found);
  shared_.connections.fetch_sub(1);
  shared_.metrics.ConnectionsChanged(-1);
  try {
    removePeer(peer);  // closes the descriptor
  } catch (...) {
    ::close(fd);  // it could not be taken out of the epoll set, and was therefore not closed
  }
}

}  // namespace heliograph::http
