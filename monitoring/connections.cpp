#include "monitoring/connections.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "monitoring/http_access.h"

namespace gan::monitoring {
namespace {

constexpr std::size_t kWorkers = 3;
constexpr std::size_t kMostConnections = 256;
constexpr std::chrono::seconds kPatience{5};
constexpr int kNiceness = 10;
constexpr int kBacklog = 256;

// Threads inherit the mask of the one that starts them. The signals of a thread's own faults cannot be waited for by
// another one.
class SignalsLeftToOthers {
 public:
  SignalsLeftToOthers() {
    sigset_t left;
    sigfillset(&left);
    for (const int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL}) sigdelset(&left, fault);
    pthread_sigmask(SIG_SETMASK, &left, &before_);
  }
  ~SignalsLeftToOthers() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsLeftToOthers(const SignalsLeftToOthers&) = delete;
  SignalsLeftToOthers& operator=(const SignalsLeftToOthers&) = delete;

 private:
  sigset_t before_{};
};

// Best effort: some sandboxes forbid it.
void LowerPriority() { setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness); }

std::string InWords(int error) { return std::generic_category().message(error); }

int RealPort(int listener) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

}  // namespace

Connections::Connections(const std::string& address, int port, Answerer answerer) : answerer_(std::move(answerer)) {
  Listen(address, port);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const SignalsLeftToOthers blocked;
  threads_.emplace_back([this] { Loop(); });
  for (std::size_t i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { Work(); });
}

Connections::~Connections() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  has_work_.notify_all();
  Wake();
  for (std::thread& thread : threads_) thread.join();
  for (const Connection& connection : connections_) ::close(connection.descriptor);
  ::close(listener_);
  ::close(wake_);
}

void Connections::Listen(const std::string& address, int port) {
  const auto fail = [&](const std::string& why) {
    if (listener_ >= 0) ::close(listener_);
    throw std::runtime_error("cannot listen on " + Endpoint(address, port) + ": " + why);
  };
  if (port < 0 || port > 65535) fail("there is no such port");
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found)) {
    fail(::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  listener_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail(InWords(errno));
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // not held up by connections just closed
  if (::bind(listener_, found->ai_addr, found->ai_addrlen) != 0 || ::listen(listener_, kBacklog) != 0) {
    fail(InWords(errno));
  }
  port_ = RealPort(listener_);
}

void Connections::Loop() {
  LowerPriority();
  std::vector<pollfd> waited;
  std::vector<Place> places;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    waited.assign({{wake_, POLLIN, 0}, {listener_, POLLIN, 0}});
    places.clear();
    for (auto at = connections_.begin(); at != connections_.end(); ++at) {
      if (at->asked && !at->answered) continue;
      waited.push_back({at->descriptor, static_cast<short>(at->answered ? POLLOUT : POLLIN), 0});
      places.push_back(at);
    }
    // Once a second for those that are late.
    if (::poll(waited.data(), waited.size(), connections_.empty() ? -1 : 1000) < 0) continue;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (waited[i + 2].revents == 0) continue;
      if (!(places[i]->answered ? Transmit(*places[i]) : Receive(places[i]))) Close(places[i]);
    }
    if (waited[0].revents != 0) TakeAnswers();
    if (waited[1].revents != 0) Accept();
    CloseLate();
  }
}

void Connections::Accept() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      // Out of descriptors: the one that has waited longest gives its own.
      if ((errno == EMFILE || errno == ENFILE) && !connections_.empty()) MakeRoom();
      return;
    }
    if (connections_.size() >= kMostConnections) MakeRoom();
    connections_.push_back(
        {.descriptor = descriptor, .received = {}, .answer = {}, .deadline = Clock::now() + kPatience});
  }
}

// Connections stand in the order in which they came. One that a worker has is not touched.
void Connections::MakeRoom() {
  const auto oldest = std::find_if(connections_.begin(), connections_.end(),
                                   [](const Connection& one) { return !one.asked || one.answered; });
  if (oldest != connections_.end()) Close(oldest);
}

bool Connections::Receive(Place at) {
  std::array<char, 4096> block{};
  const ssize_t n = ::recv(at->descriptor, block.data(), block.size(), 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  at->received.append(block.data(), static_cast<std::size_t>(n));
  if (!EndOfHead(at->received) && at->received.size() <= kMaxRequestHead) return true;
  at->asked = true;
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(at);
  }
  has_work_.notify_one();
  return true;
}

bool Connections::Transmit(Connection& connection) {
  const ssize_t n = ::send(connection.descriptor, connection.answer.data() + connection.sent,
                           connection.answer.size() - connection.sent, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  connection.sent += static_cast<std::size_t>(n);
  connection.deadline = Clock::now() + kPatience;
  return connection.sent < connection.answer.size();
}

void Connections::TakeAnswers() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_, &count, sizeof count);
  std::vector<Place> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(answered_);
  }
  for (const Place at : ready) {
    at->answered = true;
    at->deadline = Clock::now() + kPatience;
    if (!Transmit(*at)) Close(at);
  }
}

void Connections::CloseLate() {
  const Clock::time_point now = Clock::now();
  for (auto at = connections_.begin(); at != connections_.end();) {
    const auto next = std::next(at);
    if ((!at->asked || at->answered) && at->deadline < now) Close(at);
    at = next;
  }
}

// What the client has sent beside its request is read first: else the kernel would reset the connection, and with it
// the answer that is on its way.
void Connections::Close(Place at) {
  std::array<char, 4096> rest{};
  ::shutdown(at->descriptor, SHUT_WR);
  for (int blocks = 0; blocks < 16 && ::recv(at->descriptor, rest.data(), rest.size(), 0) > 0; ++blocks) {
  }
  ::close(at->descriptor);
  connections_.erase(at);
}

void Connections::Work() {
  LowerPriority();
  while (true) {
    Place at;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
      if (stopping_) return;
      at = asked_.front();
      asked_.pop_front();
    }
    const std::optional<std::size_t> end = EndOfHead(at->received);
    const std::optional<HttpRequest> request =
        end ? ParseHead(std::string_view(at->received).substr(0, *end)) : std::nullopt;
    at->answer = answerer_(request ? &*request : nullptr);
    {
      const std::lock_guard lock(mutex_);
      answered_.push_back(at);
    }
    Wake();
  }
}

void Connections::Wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
}

}  // namespace gan::monitoring
