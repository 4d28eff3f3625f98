// The connections of the HTTP server: one thread waits for all of them, so that those which say nothing, or read
// slowly, hold nobody up.
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

// Called on one of a few worker threads, several at a time: the whole answer to a request; nothing came that is one:
// null. Must not throw.
using Answerer = std::function<std::string(const HttpRequest* request)>;

// Listens, reads heads of requests, has them answered and sends the answers, each on a connection of its own that is
// closed afterwards. A connection that takes longer than 5 s to send its head, or to read some of its answer, is
// closed; above 256 of them the one that has waited longest makes room. Its threads block every signal that is not
// their own fault, and run at a low priority.
class Connections {
 public:
  // `address`: numeric, or a name, of which the first address is taken; `port` 0: any free one. Throws
  // std::runtime_error saying why it cannot listen.
  Connections(const std::string& address, int port, Answerer answerer);
  ~Connections();  // waits for answers in the making
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  int port() const { return port_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Connection {
    int descriptor = -1;
    std::uint64_t number = 0;  // of its arrival
    std::string received;
    std::string answer;
    std::size_t sent = 0;
    bool asked = false;     // a worker has it
    bool answered = false;  // `answer` is complete
    Clock::time_point deadline;
  };

  void Listen(const std::string& address, int port);
  void Loop();
  void Serve(int descriptor);
  void Accept();
  void Watch(int descriptor, std::uint32_t events, int operation) const;
  void MakeRoom();
  // False when the connection is to be closed.
  bool Receive(Connection& connection);
  bool Transmit(Connection& connection);
  void TakeAnswers();
  void CloseLate();
  void Close(int descriptor);
  void Work();
  void Wake() const;

  const Answerer answerer_;
  int listener_ = -1;
  int wake_ = -1;   // eventfd
  int watch_ = -1;  // epoll: what idle connections cost does not grow with their number
  int port_ = 0;

  // Of the loop's thread alone, but for a connection that was asked and not answered: a worker has it.
  std::map<int, Connection> connections_;  // by descriptor
  std::uint64_t arrivals_ = 0;
  Clock::time_point next_look_ = {};  // for those that are late

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Connection*> asked_;      // guarded by mutex_
  std::vector<Connection*> answered_;  // guarded by mutex_
  bool stopping_ = false;              // guarded by mutex_

  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace gan::monitoring
