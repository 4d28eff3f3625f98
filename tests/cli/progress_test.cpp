#include "cli/progress.h"

#include <gtest/gtest.h>

namespace gan::cli {
namespace {

using Seconds = std::chrono::duration<double>;

TEST(FormatDuration, UsesTheUnitsThatAPersonWould) {
  EXPECT_EQ(FormatDuration(Seconds(0)), "0 s");
  EXPECT_EQ(FormatDuration(Seconds(8.4)), "8 s");
  EXPECT_EQ(FormatDuration(Seconds(59.6)), "1 min 00 s");
  EXPECT_EQ(FormatDuration(Seconds(192)), "3 min 12 s");
  EXPECT_EQ(FormatDuration(Seconds(3840)), "1 h 04 min");
}

// The tests' own stderr is captured into a file: no terminal.
TEST(ProgressBar, IsSilentWhereThereIsNoTerminal) {
  ::testing::internal::CaptureStderr();
  {
    ProgressBar bar("work", 10);
    bar.Update(5, "half");
    bar.Update(10);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace gan::cli
