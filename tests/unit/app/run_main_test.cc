// A daemon's life, from its command line to its exit code. The admin endpoint takes any free port
// on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/app.h"
#include "base/startup_error.h"

namespace heliograph::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Config {
  std::int64_t window = 10;
  base::Secret password;

  void Bind(config::Binder& binder) {
    binder.Integer(window, "window", {1, 100}, "Messages at a time.");
    binder.SecretFile(password, "password_file", "File with the password.");
  }
};

struct Outcome {
  int code = -1;
  std::string out;
  std::string error;
};

using Body = std::function<int(const Config&, Life&)>;

int NotReached(const Config&, Life&) {
  ADD_FAILURE() << "it must not run";
  return 99;
}

Outcome RunDaemon(std::vector<std::string> flags, const Body& body = NotReached) {
  flags.insert(flags.begin(), "heliograph-test");
  std::vector<char*> argv;
  for (std::string& flag : flags) argv.push_back(flag.data());
  argv.push_back(nullptr);
  Outcome outcome;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  outcome.code =
      Main<Config>({static_cast<int>(flags.size()), argv.data(), "heliograph-test", 0}, body);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.error = ::testing::internal::GetCapturedStderr();
  return outcome;
}

// Sets a variable of the environment until the end of the test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

bool WaitReadable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 20000) == 1;
}

TEST(Flags, ThatPrintEndWithSuccess) {
  struct Row {
    const char* flag;
    const char* printed;
  };
  const Row table[] = {
      {"--help", "--check-config"},
      {"--version", "heliograph-test "},
      {"--print-config", "window: 10\n"},
      {"--print-default-config", "# Messages at a time. (1 to 100)\nwindow: 10\n"},
      {"--print-reference", "| `admin.port` | `0` | 0 to 65535 |"},
      {"--check-config", "the settings are valid"},
  };
  for (const Row& row : table) {
    const Outcome outcome = RunDaemon({row.flag});
    EXPECT_EQ(outcome.code, 0) << row.flag;
    EXPECT_THAT(outcome.out, HasSubstr(row.printed)) << row.flag;
  }
}

TEST(Flags, ThatAreWrongEndWith2) {
  const std::vector<std::vector<std::string>> table = {{"--no-such-flag"},
                                                       {"file.yaml"},
                                                       {"--config"},
                                                       {"--check-config", "--print-config"},
                                                       {"--config", "/no/such/file"}};
  for (const auto& flags : table) {
    const Outcome outcome = RunDaemon(flags);
    EXPECT_EQ(outcome.code, 2) << flags.front();
    EXPECT_FALSE(outcome.error.empty());
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Settings, AllMistakesArePrintedAtOnce) {
  const Variable window("HELIOGRAPH_TEST__WINDOW", "1000");
  const Variable unknown("HELIOGRAPH_TEST__NO_SUCH", "1");
  const Variable level("HELIOGRAPH_TEST__LOG__LEVEL", "loud");
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{}, {"--check-config"}, {"--print-config"}}) {
    const Outcome outcome = RunDaemon(flags);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.error,
                HasSubstr("HELIOGRAPH_TEST__WINDOW is 1000, must be from 1 to 100\n"));
    EXPECT_THAT(outcome.error, HasSubstr("HELIOGRAPH_TEST__NO_SUCH is not a setting"));
    EXPECT_THAT(outcome.error, HasSubstr("HELIOGRAPH_TEST__LOG__LEVEL is 'loud'"));
    EXPECT_THAT(outcome.error, HasSubstr("3 mistakes in the settings"));
  }
}

TEST(Settings, ComeFromTheFileAndTheEnvironment) {
  const std::string file = std::filesystem::temp_directory_path() /
                           ("heliograph-app-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(file) << "window: 20\nlog: {format: json}\n";
  const Outcome from_file = RunDaemon({"--config", file}, [](const Config& config, Life&) {
    return static_cast<int>(config.window);
  });
  EXPECT_EQ(from_file.code, 20) << "what `run` returns is the exit code";
  const Variable window("HELIOGRAPH_TEST__WINDOW", "30");
  const Outcome overridden = RunDaemon({"--config", file}, [](const Config& config, Life&) {
    return static_cast<int>(config.window);
  });
  EXPECT_EQ(overridden.code, 30);
  std::filesystem::remove(file);
}

TEST(Settings, SecretsAreNotPrinted) {
  const std::string file =
      std::filesystem::temp_directory_path() / ("heliograph-secret-" + std::to_string(::getpid()));
  std::ofstream(file) << "hunter2\n";
  const Variable password("HELIOGRAPH_TEST__PASSWORD_FILE", file.c_str());
  const Outcome outcome = RunDaemon({"--print-config"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("password_file: \"***\""));
  EXPECT_THAT(outcome.out + outcome.error, Not(HasSubstr("hunter2")));
  std::filesystem::remove(file);
}

TEST(Running, ExceptionsAreAReasonNotToStart) {
  const Outcome startup = RunDaemon(
      {}, [](const Config&, Life&) -> int { throw base::StartupError("the port is taken"); });
  EXPECT_EQ(startup.code, 3);
  EXPECT_THAT(startup.error, HasSubstr("the port is taken"));
  const Outcome other =
      RunDaemon({}, [](const Config&, Life&) -> int { throw std::logic_error("a defect"); });
  EXPECT_EQ(other.code, 3);
  EXPECT_THAT(other.error, HasSubstr("a defect"));
  EXPECT_EQ(RunDaemon({}, [](const Config&, Life&) -> int { throw 7; }).code, 3);
}

TEST(Running, AnAdminPortThatIsTakenIsAReasonNotToStart) {
  const Variable host("HELIOGRAPH_TEST__ADMIN__HOST", "192.0.2.1");  // TEST-NET-1: never ours
  const Outcome outcome = RunDaemon({});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.error, HasSubstr("192.0.2.1:0"));
}

TEST(Stopping, FollowsSigtermAndSigint) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Outcome outcome = RunDaemon({}, [signal](const Config&, Life& life) {
      EXPECT_FALSE(life.stop_token().stop_requested());
      ::kill(::getpid(), signal);
      EXPECT_TRUE(WaitReadable(life.stop_fd()));
      EXPECT_TRUE(life.stop_token().stop_requested());
      return 0;
    });
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.error, HasSubstr(signal == SIGTERM ? "SIGTERM" : "SIGINT"));
  }
}

TEST(Stopping, MakesTheProcessNotReadyWhileItFinishes) {
  const Outcome outcome = RunDaemon({}, [](const Config&, Life& life) {
    life.health().SetReady("work");
    EXPECT_TRUE(life.health().ready());
    ::kill(::getpid(), SIGTERM);
    EXPECT_TRUE(WaitReadable(life.stop_fd()));
    EXPECT_FALSE(life.health().ready());
    EXPECT_EQ(life.health().Snapshot()["process"].reason, "ending");
    life.health().SetReady("work");
    EXPECT_FALSE(life.health().ready()) << "what still works does not make it ready again";
    return 0;
  });
  EXPECT_EQ(outcome.code, 0);
}

TEST(Stopping, MayBeAskedForByAPart) {
  const Outcome outcome = RunDaemon({}, [](const Config&, Life& life) {
    life.RequestStop();
    return WaitReadable(life.stop_fd()) && life.stop_token().stop_requested() ? 0 : 1;
  });
  EXPECT_EQ(outcome.code, 0);
}

TEST(Stopping, SigpipeIsIgnored) {
  EXPECT_EQ(RunDaemon({}, [](const Config&, Life&) { return ::raise(SIGPIPE); }).code, 0);
}

// In a child process, which the second signal ends.
void IgnoreTheFirstSignal() {
  RunDaemon({}, [](const Config&, Life& life) {
    ::kill(::getpid(), SIGTERM);
    if (!WaitReadable(life.stop_fd())) return 98;
    ::kill(::getpid(), SIGTERM);
    ::poll(nullptr, 0, 20000);
    return 99;
  });
}

TEST(StoppingDeathTest, ASecondSignalEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(IgnoreTheFirstSignal(), ::testing::ExitedWithCode(128 + SIGTERM), "");
}

}  // namespace
}  // namespace heliograph::app
