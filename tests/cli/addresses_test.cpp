#include "cli/addresses.h"

#include <gtest/gtest.h>

#include <string>

namespace gan::cli {
namespace {

TEST(WithoutAddresses, AnAddressIsReplacedUpToTheNextSpace) {
  EXPECT_EQ("--hook (an address)\tend", WithoutAddresses("--hook https://user:secret@host/path?x=1\tend"));
  EXPECT_EQ("(an address)", WithoutAddresses("https://a@b://c"));
  EXPECT_EQ("(an address) and (an address)", WithoutAddresses("git+ssh://a and s3.x-y://b"));
  EXPECT_EQ("'(an address)", WithoutAddresses("'http://host'"));
}

TEST(WithoutAddresses, WhatIsNoAddressStays) {
  for (const char* text : {"", "://", "a://", "a:// b", "1://b", "-://b", " ://b", "a:/b", "C:\\x", "://://"}) {
    EXPECT_EQ(text, WithoutAddresses(text));
  }
  EXPECT_EQ("1(an address)", WithoutAddresses("1a://b"));
}

// std::regex needed a stack as deep as the text is long, and ended the program.
TEST(WithoutAddresses, ALongTextIsReadToItsEnd) {
  const std::string letters(4'000'000, 'x');
  EXPECT_EQ(letters, WithoutAddresses(letters));
  EXPECT_EQ("(an address) " + letters, WithoutAddresses(letters + "://" + letters + " " + letters));
}

}  // namespace
}  // namespace gan::cli
