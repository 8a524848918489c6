// Debian's libpistache is built without ThreadSanitizer, which therefore does not see that its
// accepting thread gives up a peer with an atomic decrement before another thread deletes it, and
// reports the delete as a race.
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __tsan_default_suppressions() {
  return "race:Pistache::Tcp::Listener::handleNewConnection\n";
}
