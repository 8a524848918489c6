#include "mqtt/library.h"

#include <mosquitto.h>

#include <csignal>

#include "base/startup_error.h"

namespace heliograph::mqtt {
namespace {

class Library {
 public:
  Library() {
    if (mosquitto_lib_init() != MOSQ_ERR_SUCCESS) {
      throw base::StartupError("libmosquitto could not be initialised");
    }
    struct sigaction current{};
    if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
      ::signal(SIGPIPE, SIG_IGN);
    }
  }
  ~Library() { mosquitto_lib_cleanup(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace

void EnsureLibrary() { static const Library library; }

}  // namespace heliograph::mqtt
