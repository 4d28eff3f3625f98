#include "monitoring/http_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gan::monitoring {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(EndOfHead, IsBehindTheEmptyLine) {
  EXPECT_THAT(EndOfHead("GET / HTTP/1.1\r\n\r\nrest"), Optional(Eq(18U)));
  EXPECT_THAT(EndOfHead("GET / HTTP/1.1\n\nrest"), Optional(Eq(16U)));
  for (const char* more : {"", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "\r"}) {
    EXPECT_EQ(EndOfHead(more), std::nullopt) << more;
  }
}

TEST(ParseHead, GivesMethodPathAndHeaders) {
  const auto request =
      ParseHead("GET /run%20one/%C3%A4.png?size=2&x=%2F HTTP/1.1\r\nHost:  localhost:9400 \r\nX-A:b:c\r\n\r\n");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->path, "/run one/\xC3\xA4.png");
  EXPECT_EQ(request->Header("host"), "localhost:9400");
  EXPECT_EQ(request->Header("x-a"), "b:c");
  EXPECT_EQ(request->Header("absent"), "");
}

TEST(ParseHead, WhatIsNoRequestIsNone) {
  for (const char* text :
       {"", "\r\n", "GET /\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", " / HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\n\r\n", "GET /%4 HTTP/1.1\r\n\r\n",
        "GET /%00 HTTP/1.1\r\n\r\n", "GET / SMTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n"}) {
    EXPECT_FALSE(ParseHead(text)) << text;
  }
}

// The first of two headers with one name is the one that counts, whatever a proxy in between makes of it.
TEST(ParseHead, TheFirstOfEqualHeadersCounts) {
  EXPECT_EQ(ParseHead("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n")->Header("host"), "a");
}

}  // namespace
}  // namespace gan::monitoring
