#include "monitoring/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "monitoring/http_access.h"
#include "tests/monitoring/http_client.h"

namespace gan::monitoring {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    server_.Handle("/here", [] { return HttpResponse{.body = "found\n"}; });
  }
  std::string Ask(const std::string& method, const std::string& path) { return Request(server_.port(), method, path); }

  HttpServer server_{"127.0.0.1", 0};
};

TEST_F(HttpServerTest, AHandledPathIsAnswered) {
  const std::string response = Ask("GET", "/here");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_EQ(Body(response), "found\n");
}

TEST_F(HttpServerTest, QueryIsNotPartOfThePath) { EXPECT_EQ(Body(Ask("GET", "/here?x=1")), "found\n"); }

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  const std::string response = Ask("HEAD", "/here");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(Body(response), IsEmpty());
}

TEST_F(HttpServerTest, UnknownPathsAreNotFound) {
  for (const char* path : {"/", "/nowhere", "/here/below", "/her", "/here/../../etc/passwd", "//etc/passwd"}) {
    EXPECT_THAT(Ask("GET", path), StartsWith("HTTP/1.1 404 ")) << path;
  }
}

TEST_F(HttpServerTest, TheAskedPathIsNotEchoed) { EXPECT_THAT(Ask("GET", "/nowhere"), Not(HasSubstr("nowhere"))); }

TEST_F(HttpServerTest, WritingMethodsAreRefused) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
    const std::string response = Ask(method, "/here");
    EXPECT_THAT(response, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(response, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
}

TEST_F(HttpServerTest, GarbageDoesNotStopTheServer) {
  EXPECT_THAT(Exchange(server_.port(), "\x16\x03\x01 nonsense\r\n\r\n"), Not(HasSubstr("found")));
  EXPECT_EQ(Body(Ask("GET", "/here")), "found\n");
}

// The listener stays ready while no descriptor is left, which must not keep a core busy.
TEST_F(HttpServerTest, AProcessWithoutDescriptorsWaitsForOne) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(client);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(server_.port()));
  const int connected = ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const std::clock_t start = std::clock();  // processor time of all threads
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const double busy = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_EQ(connected, 0);
  EXPECT_LT(busy, 0.1);
  const std::string request = "GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ::send(client, request.data(), request.size(), 0);
  std::string answer(4096, '\0');
  const ssize_t got = ::recv(client, answer.data(), answer.size(), 0);
  ::close(client);
  ASSERT_GT(got, 0);
  answer.resize(static_cast<std::size_t>(got));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HttpServerTest, AThrowingHandlerIsAnsweredWith500) {
  server_.Handle("/broken", []() -> HttpResponse { throw std::runtime_error("no numbers today"); });
  const std::string response = Ask("GET", "/broken");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 500 "));
  EXPECT_EQ(Body(response), "no numbers today\n");
}

TEST_F(HttpServerTest, APageCanJoinWhileTheServerRuns) {
  EXPECT_THAT(Ask("GET", "/later"), StartsWith("HTTP/1.1 404 "));
  server_.Handle("/later", [] { return HttpResponse{.content_type = "text/html", .body = "<p>hello</p>"}; });
  EXPECT_THAT(Ask("GET", "/later"), HasSubstr("Content-Type: text/html\r\n"));
}

TEST_F(HttpServerTest, ABusyPortIsNamed) {
  try {
    const HttpServer second("127.0.0.1", server_.port());
    FAIL() << "two servers on port " << server_.port();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(server_.address()));
    EXPECT_THAT(error.what(), HasSubstr("in use"));
  }
}

TEST_F(HttpServerTest, APortThatCannotBeIsRefused) { EXPECT_THROW(HttpServer("127.0.0.1", 65536), std::runtime_error); }

TEST_F(HttpServerTest, TheAddressNamesTheRealPort) {
  EXPECT_GT(server_.port(), 0);
  EXPECT_EQ(server_.address(), "127.0.0.1:" + std::to_string(server_.port()));
}

TEST_F(HttpServerTest, ThePortIsFreeAfterwards) {
  const int port = HttpServer("127.0.0.1", 0).port();
  EXPECT_EQ(HttpServer("127.0.0.1", port).port(), port);
}

std::atomic<pthread_t> signalled_thread;

TEST_F(HttpServerTest, SignalsAreLeftToTheThreadsThatStartedIt) {
  // With this thread's SIGUSR1 blocked, only a server thread could take the signal.
  signalled_thread = pthread_t{};
  std::signal(SIGUSR1, [](int) { signalled_thread = pthread_self(); });
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  kill(getpid(), SIGUSR1);
  EXPECT_EQ(Body(Ask("GET", "/here")), "found\n");
  EXPECT_EQ(signalled_thread.load(), pthread_t{});
  pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  EXPECT_EQ(signalled_thread.load(), pthread_self());
  std::signal(SIGUSR1, SIG_DFL);
}

// Twice as many as may be open: the oldest ones make room, and nobody waits for any.
TEST_F(HttpServerTest, IdleConnectionsHoldNobodyUp) {
  std::vector<OpenConnection> idle;
  for (int i = 0; i < 500; ++i) idle.emplace_back(server_.port(), i % 2 == 0 ? "" : "GET /here HTTP/1.1\r\nHost: loc");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Body(Ask("GET", "/here")), "found\n");
}

// Connections that wait for a worker cannot make room, so the limit closes those that come after them.
TEST_F(HttpServerTest, ConnectionsThatAllWaitForAnAnswerAreLimitedToo) {
  constexpr int kMost = 256, kMore = 44;
  std::promise<void> release;
  server_.Handle("/wait", [released = release.get_future().share()] {
    released.wait();
    return HttpResponse{.body = "released\n"};
  });
  std::atomic<int> answered = 0, closed = 0;
  std::vector<std::thread> clients;
  const auto ask = [&] { ++(Body(Ask("GET", "/wait")).empty() ? closed : answered); };
  for (int i = 0; i < kMost; ++i) clients.emplace_back(ask);
  // Until the server has read these requests, the limit may still close them instead of what comes later.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  for (int i = 0; i < kMore; ++i) clients.emplace_back(ask);
  // Without a limit none is closed; the test then fails after half a minute.
  for (int i = 0; i < 3000 && closed < kMore; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  release.set_value();
  for (std::thread& client : clients) client.join();
  EXPECT_GT(answered, 0);
  EXPECT_LE(answered, kMost);
}

TEST_F(HttpServerTest, ARequestThatComesInPiecesIsAnswered) {
  OpenConnection slow(server_.port(), "GET /here HT");
  EXPECT_EQ(Body(Ask("GET", "/here")), "found\n");
  slow.Send("TP/1.1\r\nHost: localhost\r\n");
  slow.Send("\r\n");
  EXPECT_EQ(Body(slow.Rest()), "found\n");
}

TEST_F(HttpServerTest, ClientsThatDoNotReadTheirAnswerHoldNobodyUp) {
  server_.Handle("/large", [] { return HttpResponse{.body = std::string(12U << 20, 'x')}; });
  std::vector<OpenConnection> lazy;
  for (int i = 0; i < 5; ++i) lazy.emplace_back(server_.port(), "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Body(Ask("GET", "/here")), "found\n");
  EXPECT_EQ(Body(lazy[0].Rest()).size(), 12U << 20);
}

// Only the latest few of the clients that read nothing but the first bytes have their whole answer in memory.
TEST_F(HttpServerTest, TheAnswersOfSlowReadersAreBounded) {
  constexpr std::size_t kBytes = std::size_t{15} << 20;  // four of them are under 64 MiB
  server_.Handle("/large", [] { return HttpResponse{.body = std::string(kBytes, 'x')}; });
  std::vector<OpenConnection> lazy;
  for (int i = 0; i < 12; ++i) {
    lazy.emplace_back(server_.port(), "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(lazy.back().Receive(4), "HTTP");  // it is answered before the next one asks
  }
  EXPECT_EQ(Body(Ask("GET", "/here")), "found\n");
  for (int i = 0; i < 12; ++i) {
    const std::size_t got = Body(lazy[static_cast<std::size_t>(i)].Rest()).size();
    EXPECT_EQ(got == kBytes, i >= 8) << "client " << i << " got " << got << " bytes";
  }
}

TEST_F(HttpServerTest, AnAnswerAboveTheBoundIsGiven) {
  constexpr std::size_t kBytes = std::size_t{80} << 20;
  server_.Handle("/huge", [] { return HttpResponse{.body = std::string(kBytes, 'x')}; });
  EXPECT_EQ(Body(Ask("GET", "/huge")).size(), kBytes);
}

TEST_F(HttpServerTest, AHeadWithoutAnEndIsRefused) {
  EXPECT_THAT(Exchange(server_.port(), "GET /here HTTP/1.1\r\nHost: " + std::string(40'000, 'x')),
              StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, EndsWhileConnectionsStandOpen) {
  std::vector<OpenConnection> idle;
  const HttpServer server("127.0.0.1", 0);
  for (int i = 0; i < 10; ++i) idle.emplace_back(server.port(), "");
}

TEST(HttpServer, OneThatListensEverywhereNamesThisMachine) {
  const HttpServer server("0.0.0.0", 0);
  EXPECT_EQ(server.address(), Endpoint(ReachableHost("0.0.0.0"), server.port()));
  EXPECT_THAT(server.address(), Not(HasSubstr("0.0.0.0")));
}

// On a machine without IPv6 the error says so.
TEST(HttpServer, IPv6IsServed) {
  std::string why;
  try {
    const HttpServer server("::1", 0);
    EXPECT_EQ(server.address(), "[::1]:" + std::to_string(server.port()));
    EXPECT_GT(server.port(), 0);
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  EXPECT_THAT(why, ::testing::AnyOf(IsEmpty(), HasSubstr("Cannot assign requested address"),
                                    HasSubstr("Address family not supported")));
}

}  // namespace
}  // namespace gan::monitoring
