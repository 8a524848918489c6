#include "owner/answer_memory.h"

#include <algorithm>

namespace heliograph::owner {
namespace {

using std::chrono::milliseconds;

milliseconds Doubled(milliseconds first, milliseconds last, int times) {
  constexpr int kMostDoublings = 20;  // beyond every bound that a setting has
  return std::min(last, first * (1 << std::min(times, kMostDoublings)));
}

}  // namespace

AnswerMemory::AnswerMemory(const MemoryLimits& limits) : limits_(limits), recent_(limits.most) {}

std::optional<Answer> AnswerMemory::Find(const device::ClientId& client_id, base::SteadyTime now) {
  auto known = recent_.Find(client_id, now);
  if (!known || now >= known->good_until) return std::nullopt;
  return std::move(known->answer);
}

void AnswerMemory::Put(const device::ClientId& client_id, const Reply& reply,
                       base::SteadyTime now) {
  Known known{{reply.told(), reply.owner}, now + limits_.good_for, 0};
  if (reply.kind == Reply::Kind::kOwned) {
    recent_.Put(client_id, known, known.good_until);
    return;
  }
  const auto before = recent_.Find(client_id, now);
  if (before && before->answer == known.answer) known.times = before->times + 1;
  const milliseconds wait = reply.told()
                                ? Doubled(limits_.first_try, limits_.last_try, known.times)
                                : Doubled(limits_.first_failure, limits_.last_failure, known.times);
  known.good_until = now + wait;
  recent_.Put(client_id, known,
              known.good_until + std::max(limits_.last_try, limits_.last_failure));
}

}  // namespace heliograph::owner
