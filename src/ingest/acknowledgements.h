// Lets held acknowledgements leave, and only when they may. Nothing else in ingest writes to the
// main connection.
#pragma once

#include "base/result.h"
#include "ingest/window.h"

namespace heliograph::ingest {

// The main connection's way out: mqtt::Client in life, a script in tests.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual bool WantsWrite() const = 0;
  virtual base::Status WritePending() = 0;  // may write a part only and still succeed
};

// Threads: one thread.
class Acknowledgements {
 public:
  Acknowledgements(const Window& window, Outlet& outlet) : window_(window), outlet_(outlet) {}

  enum class Flushed { kAll, kPartly };
  // Writes what is queued: acknowledgements of a confirmed window, and whatever waits with them.
  // kPartly: the socket is full; call again when it is writable, and read nothing meanwhile, or
  // acknowledgements of the next window would leave with the rest of this one. An error: the
  // connection has ended. Precondition: window.MayWrite().
  base::Result<Flushed> Flush();

  // A flush has begun and is not finished.
  bool flushing() const { return flushing_; }
  // The connection is gone, and what it held with it.
  void Forget() { flushing_ = false; }

 private:
  const Window& window_;
  Outlet& outlet_;
  bool flushing_ = false;
};

}  // namespace heliograph::ingest
