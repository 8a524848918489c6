// Names the calling thread, so that `top -H` reads like the README's table of threads.
#pragma once

namespace heliograph::base {

// At most 15 bytes, which is what the kernel keeps.
void NameThisThread(const char* name) noexcept;

}  // namespace heliograph::base
