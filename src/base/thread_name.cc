#include "base/thread_name.h"

#include <pthread.h>

namespace heliograph::base {

void NameThisThread(const char* name) noexcept { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace heliograph::base
