#include "monitoring/http_access.h"

#include <gmock/gmock.h>

#include <fstream>

#include "monitoring/base64.h"
#include "monitoring/http_server.h"
#include "storage/errors.h"
#include "tests/monitoring/http_client.h"

namespace gan::monitoring {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string PasswordFile(const std::string& text) {
  const std::string path = testing::TempDir() + "password";
  std::ofstream(path) << text;
  return path;
}

std::string Ask(int port, const std::string& path, const std::string& header) {
  return Exchange(port, "GET " + path + " HTTP/1.1\r\n" + header + "\r\n\r\n");
}

class GuardedServer : public ::testing::Test {
 protected:
  GuardedServer() {
    server_.Handle("/metrics", [] { return HttpResponse{.body = "numbers\n"}; });
    server_.Handle("/healthz", [] { return HttpResponse{.body = "ok\n"}; });
  }
  std::string With(const std::string& credentials) {
    return Ask(server_.port(), "/metrics", "Host: localhost\r\nAuthorization: Basic " + Base64(credentials));
  }
  HttpServer server_{"127.0.0.1", 0, "watcher:a:secret"};
};

TEST(Base64, IsThatOfTheStandard) {
  const char* const examples[][2] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) EXPECT_EQ(Base64(bytes), text);
  EXPECT_EQ(Base64("\xff\xfe\xfd"), "//79");
}

TEST_F(GuardedServer, TheRightPasswordOpens) { EXPECT_EQ(Body(With("watcher:a:secret")), "numbers\n"); }

TEST_F(GuardedServer, AnythingElseDoesNot) {
  for (const char* wrong : {"", "watcher:", "watcher:a:secre", "watcher:a:secret2", "Watcher:a:secret", "a:secret"}) {
    EXPECT_THAT(With(wrong), StartsWith("HTTP/1.1 401 ")) << wrong;
  }
  const std::string response = Ask(server_.port(), "/metrics", "Host: localhost");
  EXPECT_THAT(response, HasSubstr("WWW-Authenticate: Basic realm=\"Equipoise\"\r\n"));
}

TEST_F(GuardedServer, PathsThatAreNotThereAreNotToldToStrangers) {
  EXPECT_THAT(Ask(server_.port(), "/nowhere", "Host: localhost"), StartsWith("HTTP/1.1 401 "));
}

TEST_F(GuardedServer, HealthNeedsNoPassword) {
  EXPECT_EQ(Body(Ask(server_.port(), "/healthz", "Host: localhost")), "ok\n");
}

TEST_F(GuardedServer, AWebSitesNameForThisMachineIsRefused) {
  for (const char* host : {"Host: evil.example", "Host: evil.example:9400", "Host: localhost.evil.example", "Host: "}) {
    EXPECT_THAT(Ask(server_.port(), "/healthz", host), StartsWith("HTTP/1.1 421 ")) << host;
  }
  for (const char* host :
       {"Host: localhost:9400", "Host: LocalHost", "Host: 127.0.0.1", "Host: [::1]:9400", "Host: 192.0.2.7"}) {
    EXPECT_EQ(Body(Ask(server_.port(), "/healthz", host)), "ok\n") << host;
  }
}

TEST(HttpAccess, LoopbackIsKnown) {
  for (const char* yes : {"127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"})
    EXPECT_TRUE(IsLoopback(yes)) << yes;
  for (const char* no : {"0.0.0.0", "::", "10.0.0.1", "127.evil.example", ""}) EXPECT_FALSE(IsLoopback(no)) << no;
}

TEST(HttpAccess, OnlyAServerThatOthersReachWithoutAPasswordIsWarnedOf) {
  ServerAccess server{.listens_on = "0.0.0.0",
                      .reached_at = "host:9400",
                      .credentials = "",
                      .shows = "the metrics",
                      .password_flag = "--password-file"};
  EXPECT_EQ(OpenAccessWarning(server),
            "everybody who can reach host:9400 can see the metrics; --password-file requires a password");
  server.credentials = "me:secret";
  EXPECT_EQ(OpenAccessWarning(server), "");
  server.credentials.clear();
  server.listens_on = "127.0.0.1";
  EXPECT_EQ(OpenAccessWarning(server), "");
}

TEST(HttpAccess, ThePasswordFilesFirstLineCounts) {
  EXPECT_EQ(ReadCredentials(PasswordFile("me:it's a secret\r\nmore\n")), "me:it's a secret");
}

TEST(HttpAccess, APasswordFileWithoutAPasswordIsRefused) {
  for (const char* text : {"", "\n", "secret\n", ":secret\n", "me:\n"}) {
    EXPECT_THROW(ReadCredentials(PasswordFile(text)), UsageError) << text;
  }
  EXPECT_THROW(ReadCredentials("/nowhere/password"), UsageError);
}

}  // namespace
}  // namespace gan::monitoring
