#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <utility>

#include "base/unique_fd.h"
#include "base/unique_handle.h"
#include "base/wakeup.h"

namespace heliograph::base {
namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

int OpenSomething() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFd, ClosesItsOwnOnce) {
  const int number = OpenSomething();
  {
    UniqueFd first(number);
    EXPECT_TRUE(first);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first) << "it has been moved from";  // NOLINT
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
  EXPECT_FALSE(UniqueFd());
}

TEST(UniqueFd, AssignmentClosesTheFormerOne) {
  const int former = OpenSomething();
  UniqueFd fd(former);
  fd = UniqueFd(OpenSomething());
  EXPECT_FALSE(IsOpen(former));
  EXPECT_TRUE(IsOpen(fd.get()));
  fd = UniqueFd();
  EXPECT_FALSE(fd);
}

int freed = 0;
void Free(int* object) {
  ++freed;
  delete object;  // NOLINT: stands for a C library's own free
}

TEST(UniqueHandle, FreesOnce) {
  {
    UniqueHandle<int, Free> first(new int(1));  // NOLINT
    const UniqueHandle<int, Free> second(std::move(first));
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
}

bool Readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

TEST(Wakeup, IsReadableFromNotifyToClear) {
  Wakeup wakeup;
  EXPECT_FALSE(Readable(wakeup.fd()));
  wakeup.Clear();
  EXPECT_FALSE(Readable(wakeup.fd())) << "clearing nothing does not block";
  for (int i = 0; i < 3; ++i) wakeup.Notify();
  EXPECT_TRUE(Readable(wakeup.fd()));
  wakeup.Clear();
  EXPECT_FALSE(Readable(wakeup.fd())) << "once for all";
}

}  // namespace
}  // namespace heliograph::base
