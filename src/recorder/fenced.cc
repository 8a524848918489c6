#include "recorder/fenced.h"

#include <chrono>
#include <span>
#include <utility>

namespace heliograph::recorder {
namespace {

constexpr std::chrono::milliseconds kWaitForSession{1000};

}  // namespace

base::Result<std::optional<Fenced>> BeginFenced(postgres::Pool& pool, const std::string& topic,
                                                const postgres::LogOffset& expected) {
  auto session = pool.Acquire(std::chrono::steady_clock::now() + kWaitForSession);
  if (!session) return std::move(session).error();
  auto transaction = postgres::Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  const auto locked = postgres::LockOffsets(*transaction, topic, std::span(&expected.partition, 1));
  if (!locked) return locked.error();
  if (locked->size() != 1 || locked->front().generation != expected.generation ||
      locked->front().next_offset != expected.next_offset) {
    return std::optional<Fenced>();
  }
  return std::optional<Fenced>(Fenced{*std::move(session), *std::move(transaction)});
}

}  // namespace heliograph::recorder
