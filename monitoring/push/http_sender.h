// Sends JSON to a server over HTTP without ever delaying the caller. Alerts and OTLP share it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "monitoring/push/work_queue.h"

namespace gan::monitoring {

// The destination of messages. All of it is secret: no log message ever contains it.
struct Destination {
  std::string url;                   // http:// or https://
  std::vector<std::string> headers;  // "Name: value"
  std::chrono::milliseconds timeout{5000};
  std::string certificate = {};  // a file with the trusted authorities; empty: those of the system
};

struct SenderOptions {
  std::string what = {};                 // names the messages in warnings: "alert", "OTLP message"
  std::size_t most_waiting = 256;        // the oldest of more messages is dropped
  std::uint32_t attempts = 4;            // per message; 0: until a newer message takes its place or the sender ends
  std::chrono::milliseconds pause{500};  // before the second attempt; each further one doubles it, up to ten seconds
  std::function<void(const std::string&)> warn = nullptr;  // called on the sender's thread
};

// Redirects are not followed, an answer is read up to 64 kB, certificates are verified, and only HTTP and HTTPS are
// used. A message is sent again after a failed connection, a time-out, and the status codes 429, 502, 503 and 504; the
// answer's Retry-After counts up to ten seconds. The first failure in a row is passed to `warn`, without the address.
// Thread-safe.
class HttpSender {
 public:
  // Called on the sender's thread when the message's turn comes.
  using Body = std::function<std::string()>;
  // The body of a successful answer, on the sender's thread.
  using Answer = std::function<void(const std::string&)>;

  explicit HttpSender(SenderOptions options);
  ~HttpSender();  // gives up what is still unsent; call Flush() before
  HttpSender(const HttpSender&) = delete;
  HttpSender& operator=(const HttpSender&) = delete;

  void Start(std::chrono::milliseconds every = std::chrono::milliseconds(0), WorkQueue::Job regular = nullptr);
  void Send(std::shared_ptr<const Destination> destination, Body body, Answer answer = nullptr);
  bool Flush(std::chrono::milliseconds patience) { return queue_.Drain(patience); }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t lost() const { return failed_ + queue_.dropped(); }

 private:
  struct Result {
    bool delivered = false;
    bool may_retry = false;
    std::chrono::milliseconds wait{0};  // delay that the server asked for
    std::string why;
    std::string answer;
  };
  struct Curl;

  void Deliver(const Destination& destination, const Body& body, const Answer& answer);
  Result Try(const Destination& destination, const std::string& body);
  void Warn(const std::string& why);

  const SenderOptions options_;
  std::unique_ptr<Curl> curl_;  // used by the thread of the queue alone
  bool failing_ = false;        // used by the thread of the queue alone
  std::atomic<std::uint64_t> sent_{0}, failed_{0};
  WorkQueue queue_;  // last: its thread uses all members above
};

// Throws UsageError, which begins with `flag` and does not contain the URL, unless messages can be sent to `url`.
void RequireHttpUrl(const std::string& url, const std::string& flag);

}  // namespace gan::monitoring
