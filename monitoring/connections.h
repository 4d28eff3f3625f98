// The connections of the HTTP server. One thread waits for all of them, so a client that sends nothing or reads slowly
// does not delay the others.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "monitoring/http_request.h"

namespace gan::monitoring {

// Returns the complete response to a request. Called on several worker threads at once. `request` is null when the
// received bytes are not a valid request. Must not throw.
using Answerer = std::function<std::string(const HttpRequest* request)>;

// Listens, reads request heads, has them answered and sends the responses. Every connection serves one request and is
// then closed. A connection that takes longer than 5 s to send its head, or to accept part of its response, is closed.
// Above 256 connections, the one that has waited longest is closed, or the new one while workers have to answer all
// others. Slow readers keep 64 MiB of responses in memory together: above that, the one that came first is closed. The
// threads of this class block all signals except those that their own faults raise, and run at a low priority.
class Connections {
 public:
  // `address`: a numeric address, or a name, whose first address is used. `port`: 0 picks a free port. Throws
  // std::runtime_error with the reason when it cannot listen.
  Connections(const std::string& address, int port, Answerer answerer);
  ~Connections();  // waits until all requests that a worker handles are answered
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  int port() const { return port_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Connection {
    int descriptor = -1;
    std::uint64_t number = 0;  // order of arrival
    std::string received;
    std::string answer;
    std::size_t sent = 0;
    bool asked = false;     // a worker handles it
    bool answered = false;  // `answer` is complete
    Clock::time_point deadline;
  };

  void Listen(const std::string& address, int port);
  void Loop();
  void Serve(int descriptor);
  void Accept();
  void Watch(int descriptor, std::uint32_t events, int operation) const;
  // Closes the connection that has waited longest. Returns whether one was closed.
  bool MakeRoom();
  // False when the connection is to be closed.
  bool Receive(Connection& connection);
  bool Transmit(Connection& connection);
  void TakeAnswers();
  void LimitAnswers();
  void CloseLate();
  void Close(int descriptor);
  void Work();
  void Wake() const;

  const Answerer answerer_;
  int listener_ = -1;
  int wake_ = -1;   // eventfd
  int watch_ = -1;  // epoll: idle connections cost nothing
  int port_ = 0;

  // Only the loop's thread uses these members. Between `asked` and `answered`, a worker uses a connection
  // instead.
  std::map<int, Connection> connections_;  // by descriptor
  std::uint64_t arrivals_ = 0;
  Clock::time_point next_look_ = {};  // when late connections are next searched for

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Connection*> asked_;      // guarded by mutex_
  std::vector<Connection*> answered_;  // guarded by mutex_
  bool stopping_ = false;              // guarded by mutex_

  std::vector<std::thread> threads_;  // last: they use all members above
};

}  // namespace gan::monitoring
