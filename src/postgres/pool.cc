#include "postgres/pool.h"

namespace heliograph::postgres {
namespace {

constexpr std::chrono::milliseconds kConnectPause{250};

}  // namespace

Pool::Pool(Config config, std::string application_name)
    : config_(std::move(config)), application_name_(std::move(application_name)) {}

Pool::Lease::~Lease() {
  if (connection_) pool_->Return(std::move(connection_));
}

base::Result<Pool::Lease> Pool::Acquire(base::SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  while (true) {
    while (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      lock.unlock();
      if (connection->LooksAlive() && connection->RenewPlans()) {
        return Lease(*this, std::move(connection));
      }
      connection.reset();  // closes outside the lock
      lock.lock();
      --open_;
    }
    if (open_ < config_.pool_size) {
      if (connect_error_ && std::chrono::steady_clock::now() < connect_again_at_) {
        return *connect_error_;
      }
      ++open_;
      lock.unlock();
      return OpenOne();
    }
    const bool freed = freed_.wait_until(
        lock, deadline, [this] { return !idle_.empty() || open_ < config_.pool_size; });
    if (!freed) {
      return base::MakeError(base::ErrorCode::kUnavailable, "all PostgreSQL sessions stayed busy");
    }
  }
}

base::Result<Pool::Lease> Pool::OpenOne() {
  auto opened = Connection::Open(config_, application_name_);
  const std::lock_guard lock(mutex_);
  if (!opened) {
    --open_;
    freed_.notify_one();
    connect_error_ = opened.error();
    connect_again_at_ = std::chrono::steady_clock::now() + kConnectPause;
    return std::move(opened).error();
  }
  connect_error_.reset();
  return Lease(*this, std::make_unique<Connection>(*std::move(opened)));
}

void Pool::Return(std::unique_ptr<Connection> connection) {
  const bool usable = connection->healthy() && !connection->in_transaction();
  if (!usable) connection.reset();  // closes outside the lock
  const std::lock_guard lock(mutex_);
  if (usable) {
    idle_.push_back(std::move(connection));
  } else {
    --open_;
  }
  freed_.notify_one();
}

base::Status Pool::Ping(std::chrono::milliseconds limit) {
  auto lease = Acquire(std::chrono::steady_clock::now() + limit);
  if (!lease) return std::move(lease).error();
  if (auto answer = (*lease)->Execute("SELECT 1"); !answer) return std::move(answer).error();
  return {};
}

}  // namespace heliograph::postgres
