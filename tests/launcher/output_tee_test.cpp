#include "launcher/output_tee.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace gan::launch {
namespace {

using ::testing::StartsWith;

// The output that the tee passes on must not appear in the log of the tests.
class OutputTeeTest : public ::testing::Test {
 protected:
  OutputTeeTest() {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDERR_FILENO);
    ::close(nowhere);
  }
  ~OutputTeeTest() override {
    ::dup2(stderr_, STDERR_FILENO);
    ::close(stderr_);
  }

  static void Write(int descriptor, const std::string& text) {
    [[maybe_unused]] const ssize_t n = ::write(descriptor, text.data(), text.size());
  }

 private:
  const int stderr_ = ::dup(STDERR_FILENO);
};

TEST_F(OutputTeeTest, KeepsAllThatWasWrittenBeforeTheEnd) {
  OutputTee tee;
  const std::string text = "a zero byte " + std::string(1, '\0') + " is text\n" + std::string(1, '\0');
  Write(tee.descriptor(), text);
  EXPECT_EQ(tee.Finish(), text);
  EXPECT_EQ(tee.Finish(), text);
}

TEST_F(OutputTeeTest, AProcessThatWritesOnDoesNotHoldTheEndUp) {
  OutputTee tee;
  Write(tee.descriptor(), "first\n");
  const int left_behind = ::dup(tee.descriptor());
  std::atomic<bool> has_begun = false, stop = false;
  std::thread writer([&] {
    while (!stop) {
      // After the end nobody reads the pipe, so a write without room would wait for ever.
      pollfd room = {left_behind, POLLOUT, 0};
      if (::poll(&room, 1, 0) == 1) Write(left_behind, "on and on\n");
      has_begun = true;
    }
  });
  while (!has_begun) std::this_thread::yield();
  EXPECT_THAT(tee.Finish(), StartsWith("first\n"));
  stop = true;
  writer.join();
  ::close(left_behind);
}

}  // namespace
}  // namespace gan::launch
