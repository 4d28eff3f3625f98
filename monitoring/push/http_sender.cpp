#include "monitoring/push/http_sender.h"

#include <algorithm>
#include <utility>

#include "monitoring/push/http_plugin.h"
#include "plugin/plugin.h"
#include "storage/errors.h"

namespace gan::monitoring {

namespace {

constexpr std::chrono::milliseconds kLongestPause{10'000};

// The codes that OTLP's specification calls retryable. Another error would be the same at the next try.
bool IsTemporary(long status) { return status == 429 || status == 502 || status == 503 || status == 504; }

std::string StatusInWords(long status) {
  const std::string text = "the answer was HTTP " + std::to_string(status);
  return status >= 300 && status < 400 ? text + ", a redirect, which is not followed" : text;
}

}  // namespace

// The plugin stays loaded for the life of the process, because its libraries cannot be unloaded safely.
struct HttpSender::Curl {
  decltype(&GanHttpPost) post = nullptr;
  decltype(&GanHttpClose) close = nullptr;
  void* handle = nullptr;
  std::string why;  // why it cannot be used
  GanHttpResult result{};

  Curl() {
    Plugin library("libgan_http.so");
    auto* const open = library.Find<decltype(GanHttpOpen)>("GanHttpOpen");
    post = library.Find<decltype(GanHttpPost)>("GanHttpPost");
    close = library.Find<decltype(GanHttpClose)>("GanHttpClose");
    why = library.why();
    if (!why.empty()) return;
    handle = open();
    if (handle == nullptr) why = "libcurl cannot be used";
  }
  ~Curl() {
    if (handle != nullptr) close(handle);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
};

// libcurl is initialised here, before its thread starts.
HttpSender::HttpSender(SenderOptions options)
    : options_(std::move(options)), curl_(std::make_unique<Curl>()), queue_(options_.most_waiting) {}

// The thread ends before the handle that it uses.
HttpSender::~HttpSender() { queue_.Stop(); }

void HttpSender::Start(std::chrono::milliseconds every, WorkQueue::Job regular) {
  queue_.Start(every, std::move(regular));
}

void HttpSender::Send(std::shared_ptr<const Destination> destination, Body body, Answer answer) {
  queue_.Push([this, destination = std::move(destination), body = std::move(body), answer = std::move(answer)] {
    Deliver(*destination, body, answer);
  });
}

void HttpSender::Deliver(const Destination& destination, const Body& body, const Answer& answer) {
  const std::string text = body();
  auto pause = options_.pause;
  const std::uint64_t dropped_before = queue_.dropped();
  // With 0 attempts in the options there is no last attempt.
  for (std::uint32_t attempt = 1;; ++attempt) {
    const Result result = Try(destination, text);
    if (result.delivered) {
      ++sent_;
      failing_ = false;
      if (answer) answer(result.answer);
      return;
    }
    Warn(result.why);
    // Newer messages are dropped already because of this one: it makes room for them.
    const bool is_last = attempt == options_.attempts || queue_.dropped() > dropped_before;
    if (!result.may_retry || is_last || queue_.is_stopping()) break;
    queue_.Pause(std::max(pause, std::min(result.wait, kLongestPause)));
    pause = std::min(2 * pause, kLongestPause);
  }
  ++failed_;
}

HttpSender::Result HttpSender::Try(const Destination& destination, const std::string& body) {
  Result result;
  result.why = curl_->why;
  if (curl_->handle == nullptr) return result;
  std::vector<const char*> headers;
  headers.reserve(destination.headers.size());
  for (const std::string& header : destination.headers) headers.push_back(header.c_str());
  const GanHttpRequest request = {
      .url = destination.url.c_str(),
      .headers = headers.data(),
      .header_count = headers.size(),
      .body = body.data(),
      .body_bytes = body.size(),
      .timeout_ms = static_cast<long>(destination.timeout.count()),
      .certificate = destination.certificate.empty() ? nullptr : destination.certificate.c_str(),
      .is_stopping = [](const void* queue) { return static_cast<const WorkQueue*>(queue)->is_stopping(); },
      .context = &queue_};
  const GanHttpResult& got = curl_->result;
  curl_->post(curl_->handle, &request, &curl_->result);
  result.delivered = got.answered && got.status >= 200 && got.status < 300;
  result.may_retry = !got.answered || IsTemporary(got.status);
  result.wait = std::chrono::seconds(got.wait_seconds);
  result.why = got.answered ? StatusInWords(got.status) : std::string(got.why);
  result.answer.assign(got.answer, got.answer_bytes);
  return result;
}

// Once per series of failures, so that a dead endpoint does not fill the log.
void HttpSender::Warn(const std::string& why) {
  if (std::exchange(failing_, true) || !options_.warn || queue_.is_stopping()) return;
  options_.warn("an " + options_.what + " could not be delivered: " + why + "; training continues");
}

void RequireHttpUrl(const std::string& url, const std::string& flag) {
  const bool is_http = url.starts_with("http://") || url.starts_with("https://");
  const bool is_printable = std::all_of(url.begin(), url.end(), [](unsigned char c) { return c > ' ' && c != 0x7f; });
  if (is_http && is_printable && url.find("://") + 3 < url.size()) return;
  throw UsageError(flag +
                   ": must be an address that begins with http:// or https:// (it is not shown, because it may "
                   "contain a password)");
}

}  // namespace gan::monitoring
