#include "cli/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace gan::cli {
namespace {

TEST(Printable, ControlCharactersAreShownAsNumbers) {
  EXPECT_EQ("a\\x1B]0;b\\x07", Printable("a\x1B]0;b\x07"));
  EXPECT_EQ("\\x00\\x7F\\x0A", Printable(std::string("\0\x7F\n", 3)));
  EXPECT_EQ("\\x9B31m\\x80", Printable("\xC2\x9B"
                                       "31m\xC2\x80"))
      << "of two bytes in UTF-8";
  EXPECT_EQ("one\n\ttwo\\x0D", PrintableLines("one\n\ttwo\r"));
}

TEST(Printable, AllOtherBytesStay) {
  for (const char* text : {"", "a b~", "M\xC3\xBCller", "\xC2\xA0", "\xE2\x82\xAC", "\xFF\xFE", "\xC2"}) {
    EXPECT_EQ(text, Printable(text));
  }
}

}  // namespace
}  // namespace gan::cli
