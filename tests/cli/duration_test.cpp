#include "cli/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/errors.h"

namespace gan::cli {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(Duration, UnitsAddUp) {
  EXPECT_EQ(ParseDuration("1s"), seconds(1));
  EXPECT_EQ(ParseDuration("90s"), seconds(90));
  EXPECT_EQ(ParseDuration("30m"), seconds(1800));
  EXPECT_EQ(ParseDuration("2h"), seconds(7200));
  EXPECT_EQ(ParseDuration("1h30m"), seconds(5400));
  EXPECT_EQ(ParseDuration("1d2h3m4s"), seconds(86400 + 7200 + 180 + 4));
  EXPECT_EQ(ParseDuration("0h5m"), seconds(300));
  EXPECT_EQ(ParseDuration("007s"), seconds(7));
  EXPECT_EQ(ParseDuration("10000d"), seconds(864000000));
}

TEST(Duration, AnyOtherTextIsRefusedByName) {
  for (const std::string text : {"",
                                 "30",
                                 "m",
                                 "30 m",
                                 " 30m",
                                 "30m ",
                                 "30M",
                                 "-30m",
                                 "+30m",
                                 "1.5h",
                                 "1,5h",
                                 "30min",
                                 "30m30m",
                                 "30m1h",
                                 "1h30",
                                 "h30m",
                                 "0s",
                                 "0d0h",
                                 "10001d",
                                 "10000d1s",
                                 "99999999999999999999s",
                                 "4294967296s",
                                 "1e3s",
                                 "0x10s",
                                 "30m\n",
                                 "nan",
                                 "infs",
                                 "١s",
                                 "30m\xff"}) {
    EXPECT_THAT([&] { ParseDuration(text); },
                ::testing::ThrowsMessage<UsageError>(HasSubstr("\"" + text + "\" is not a time")))
        << text;
  }
  EXPECT_THROW(ParseDuration(std::string_view("30m\0", 4)), UsageError);
  EXPECT_THROW(ParseDuration(std::string(1 << 20, '9') + "s"), UsageError);
}

}  // namespace
}  // namespace gan::cli
