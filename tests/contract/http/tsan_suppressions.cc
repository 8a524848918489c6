// Debian's libpistache is built without ThreadSanitizer, which therefore does not see the atomics
// by which its accepting thread hands a peer and its socket to an I/O thread (its queue) and gives
// the peer up again, and reports what the I/O thread does with either as a race.
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __tsan_default_suppressions() {
  return "race:Pistache::Tcp::Listener::handleNewConnection\n"
         "race:Pistache::Tcp::Listener::acceptConnection\n"
         "race:Pistache::Tcp::Peer::Create\n";
}
