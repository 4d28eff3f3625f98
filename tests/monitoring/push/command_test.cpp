#include "monitoring/push/command.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <iterator>

namespace gan::monitoring {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::ptrdiff_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

// A limit on the size of files holds for those in memory as well.
TEST(RunAlertCommandTest, AnInputThatCannotBeKeptIsTheReasonAndLeavesNothingOpen) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const std::ptrdiff_t open = OpenDescriptors();
  for (const rlim_t most : {0, 3}) {
    rlimit small = before;
    small.rlim_cur = most;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string why = RunAlertCommand("true", "an alert", 60s, [] { return false; });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_THAT(why, ::testing::AnyOf(HasSubstr("File too large"), HasSubstr("No space left on device"))) << most;
  }
  EXPECT_EQ(OpenDescriptors(), open);
  std::signal(SIGXFSZ, SIG_DFL);
}

}  // namespace
}  // namespace gan::monitoring
