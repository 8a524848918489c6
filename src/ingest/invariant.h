// A rule that a promise stands on, checked in every build: to go on would lose messages, and to die
// loses none, since the broker sends again what was not acknowledged.
#pragma once

namespace heliograph::ingest {

// Logs `what` and aborts when `holds` is false.
void Invariant(bool holds, const char* what) noexcept;

}  // namespace heliograph::ingest
