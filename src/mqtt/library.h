// libmosquitto as a whole.
#pragma once

namespace heliograph::mqtt {

// Makes the library ready, once in the life of the process. It also ignores SIGPIPE where nobody
// handles it: libmosquitto writes to sockets that the peer may have closed, and that must be an
// error of one connection, not the end of the process. Threads: any thread.
void EnsureLibrary();

}  // namespace heliograph::mqtt
