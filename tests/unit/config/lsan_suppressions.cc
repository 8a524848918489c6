// yaml-cpp 0.7 loses its read buffer (2 KiB) when the constructor of its stream throws, as it does
// for some malformed files. Asked for by the sanitizer's runtime; nobody else calls it.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libyaml-cpp\n"; }
