// Finds and closes the socket on which Pistache listens: it offers no way to stop accepting while
// requests are answered.
#pragma once

#include <set>

namespace heliograph::http {

// Descriptors of this process on which it listens for connections. Threads: any thread.
std::set<int> ListeningSockets();

// Stops listening without giving the number back: Pistache closes it later, and another thread must
// not get it before.
void StopListening(int fd) noexcept;

}  // namespace heliograph::http
