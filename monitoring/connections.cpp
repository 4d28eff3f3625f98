#include "monitoring/connections.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "monitoring/background_thread.h"
#include "monitoring/http_access.h"

namespace gan::monitoring {
namespace {

// A few workers are enough: requests are rare, and training needs the processors.
constexpr std::size_t kWorkers = 3;
// Well below the 1,024 descriptors that a process may usually have, because the run needs some for its own files.
constexpr std::size_t kMostConnections = 256;
constexpr std::size_t kMostAnswerBytes = std::size_t{64} << 20;
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{50};
constexpr int kBacklog = 256;
constexpr int kEvents = 64;    // handled per call of epoll_wait
constexpr int kLookMs = 1000;  // interval of searching for late connections

std::string InWords(int error) { return std::generic_category().message(error); }

int RealPort(int listener) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

}  // namespace

// The threads are started last, when everything that they use exists.
Connections::Connections(const std::string& address, int port, Answerer answerer) : answerer_(std::move(answerer)) {
  Listen(address, port);
  // epoll is used in its default mode, in which a descriptor that stays ready is reported in every round. A handler may
  // therefore leave bytes for the next round.
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  watch_ = ::epoll_create1(EPOLL_CLOEXEC);
  Watch(wake_, EPOLLIN, EPOLL_CTL_ADD);
  Watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  const SignalsLeftToOthers blocked;
  threads_.emplace_back([this] { Loop(); });
  for (std::size_t i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { Work(); });
}

Connections::~Connections() {
  {
    const std::lock_guard lock(mutex_);
    // Under the lock, so that a worker cannot miss the change between its check and its wait.
    stopping_ = true;
  }
  has_work_.notify_all();
  Wake();
  for (std::thread& thread : threads_) thread.join();
  for (const auto& item : connections_) ::close(item.first);
  for (const int descriptor : {listener_, wake_, watch_}) ::close(descriptor);
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
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on,
               sizeof on);  // allows a restarted program to use the port while old connections time out
  if (::bind(listener_, found->ai_addr, found->ai_addrlen) != 0 || ::listen(listener_, kBacklog) != 0) {
    fail(InWords(errno));
  }
  port_ = RealPort(listener_);
}

void Connections::Watch(int descriptor, std::uint32_t events, int operation) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  ::epoll_ctl(watch_, operation, descriptor, &event);
}

// The loop reads a connection until its head is complete. Then the connection belongs to a worker, which hands it back
// with its answer through answered_ and the eventfd. It never has two owners, so only the two queues need the lock.
void Connections::Loop() {
  LowerPriority();
  std::array<epoll_event, kEvents> events{};
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    // Only this thread changes connections_, so it is used without the lock.
    const int count = ::epoll_wait(watch_, events.data(), kEvents, connections_.empty() ? -1 : kLookMs);
    bool arrives = false;
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == wake_) {
        TakeAnswers();
      } else if (descriptor == listener_) {
        arrives = true;
      } else {
        Serve(descriptor);
      }
    }
    if (arrives)
      Accept();  // last, because a new connection may get the descriptor of one that was closed in this round
    CloseLate();
  }
}

void Connections::Serve(int descriptor) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  if (connection.asked && !connection.answered) return;
  if (!(connection.answered ? Transmit(connection) : Receive(connection))) Close(descriptor);
}

void Connections::Accept() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      // No descriptors are left: the connection that has waited longest is closed. When there is none, the rest of the
      // program has taken them all. The listener stays ready then, so without a pause this thread would run all the
      // time.
      if ((errno == EMFILE || errno == ENFILE) && !MakeRoom()) std::this_thread::sleep_for(kPauseWithoutDescriptors);
      return;
    }
    if (connections_.size() >= kMostConnections && !MakeRoom()) {
      ::close(descriptor);
      continue;
    }
    Connection& connection = connections_[descriptor];
    connection.descriptor = descriptor;
    connection.number = ++arrivals_;
    connection.deadline = Clock::now() + kPatience;
    Watch(descriptor, EPOLLIN, EPOLL_CTL_ADD);
  }
}

// Connections that a worker handles are left alone.
bool Connections::MakeRoom() {
  const Connection* oldest = nullptr;
  for (const auto& item : connections_) {
    const Connection& one = item.second;
    if (one.asked && !one.answered) continue;
    if (oldest == nullptr || one.number < oldest->number) oldest = &one;
  }
  if (oldest == nullptr) return false;
  Close(oldest->descriptor);
  return true;
}

// Only the head is read: GET and HEAD requests have no body.
bool Connections::Receive(Connection& connection) {
  std::array<char, 4096> block{};
  const ssize_t n = ::recv(connection.descriptor, block.data(), block.size(), 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  connection.received.append(block.data(), static_cast<std::size_t>(n));
  // An oversized head is handed to a worker as well, which answers it with an error.
  if (!EndOfHead(connection.received) && connection.received.size() <= kMaxRequestHead) return true;
  connection.asked = true;
  // The worker owns the connection from here on, so epoll must not report it meanwhile.
  Watch(connection.descriptor, 0, EPOLL_CTL_DEL);
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(&connection);
  }
  has_work_.notify_one();
  return true;
}

// The deadline moves with every part, so that a slow but steady client gets a large response.
bool Connections::Transmit(Connection& connection) {
  const ssize_t n = ::send(connection.descriptor, connection.answer.data() + connection.sent,
                           // MSG_NOSIGNAL: a client that has closed its side must not end the process with SIGPIPE.
                           connection.answer.size() - connection.sent, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  connection.sent += static_cast<std::size_t>(n);
  connection.deadline = Clock::now() + kPatience;
  return connection.sent < connection.answer.size();
}

void Connections::TakeAnswers() {
  std::uint64_t count = 0;
  // Resets the eventfd; its count is not needed.
  [[maybe_unused]] const ssize_t n = ::read(wake_, &count, sizeof count);
  std::vector<Connection*> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(answered_);
  }
  for (Connection* connection : ready) {
    connection->answered = true;
    connection->deadline = Clock::now() + kPatience;
    if (!Transmit(*connection)) {
      Close(connection->descriptor);
    } else {
      Watch(connection->descriptor, EPOLLOUT, EPOLL_CTL_ADD);
    }
  }
  LimitAnswers();
}

// The newest response is never dropped, however large it is: otherwise a large response could not be sent at all.
void Connections::LimitAnswers() {
  std::map<std::uint64_t, const Connection*> sending;  // by order of arrival
  std::size_t bytes = 0;
  for (const auto& item : connections_) {
    if (!item.second.answered) continue;
    sending.emplace(item.second.number, &item.second);
    bytes += item.second.answer.size();
  }
  while (bytes > kMostAnswerBytes && sending.size() > 1) {
    const Connection* const oldest = sending.begin()->second;
    bytes -= oldest->answer.size();
    Close(oldest->descriptor);
    sending.erase(sending.begin());
  }
}

void Connections::CloseLate() {
  const Clock::time_point now = Clock::now();
  if (now < next_look_) return;
  next_look_ = now + std::chrono::milliseconds(kLookMs);
  std::vector<int> late;
  for (const auto& [descriptor, connection] : connections_) {
    if ((!connection.asked || connection.answered) && connection.deadline < now) late.push_back(descriptor);
  }
  for (const int descriptor : late) Close(descriptor);
}

// Reads what the client has sent beyond its request before closing. Otherwise the kernel would reset the connection and
// discard the response that is still in transit.
void Connections::Close(int descriptor) {
  std::array<char, 4096> rest{};
  // Bounded, so that a client that sends endlessly cannot hold this thread.
  ::shutdown(descriptor, SHUT_WR);
  for (int blocks = 0; blocks < 16 && ::recv(descriptor, rest.data(), rest.size(), 0) > 0; ++blocks) {
  }
  ::close(descriptor);
  connections_.erase(descriptor);
}

void Connections::Work() {
  LowerPriority();
  while (true) {
    Connection* connection = nullptr;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
      if (stopping_) return;
      connection = asked_.front();
      asked_.pop_front();
    }
    const std::optional<std::size_t> end = EndOfHead(connection->received);
    const std::optional<HttpRequest> request =
        end ? ParseHead(std::string_view(connection->received).substr(0, *end)) : std::nullopt;
    connection->answer = answerer_(request ? &*request : nullptr);
    {
      const std::lock_guard lock(mutex_);
      answered_.push_back(connection);
    }
    Wake();
  }
}

void Connections::Wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
}

}  // namespace gan::monitoring
