#include "monitoring/http_server.h"

#include <civetweb.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "monitoring/base64.h"
#include "monitoring/http_access.h"

namespace gan::monitoring {
namespace {

constexpr const char* kServerThreads = "3";
constexpr const char* kRequestTimeoutMs = "5000";  // a client that stalls gives its thread back
constexpr int kNiceness = 10;

// Threads inherit the mask of the one that starts them.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

std::string Endpoint(const std::string& address, int port) {
  const bool ipv6 = address.find(':') != std::string::npos;
  return (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

int RealPort(const mg_context* context) {
  std::array<mg_server_port, 1> ports{};
  return mg_get_server_ports(context, static_cast<int>(ports.size()), ports.data()) == 1 ? ports[0].port : 0;
}

// civetweb calls it in each of its threads. Best effort: some sandboxes forbid it.
void* LowerPriority(const mg_context*, int) {
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
  return nullptr;
}

// In the same time whatever the first difference.
bool EqualSecrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a.empty() ? 0 : a[i % a.size()]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

std::string_view Header(const mg_connection* connection, const char* name) {
  const char* value = mg_get_header(connection, name);
  return value != nullptr ? value : "";
}

void Send(mg_connection* connection, const HttpResponse& response, bool with_body) {
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n%s"
            "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n%s"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            response.status, mg_get_response_code_text(connection, response.status), response.content_type.c_str(),
            response.body.size(), response.status == 405 ? "Allow: GET, HEAD\r\n" : "", response.headers.c_str());
  if (with_body) mg_write(connection, response.body.data(), response.body.size());
}

}  // namespace

struct HttpServer::Impl {
  std::shared_mutex mutex;
  std::map<std::string, HttpHandler, std::less<>> handlers;              // guarded by mutex
  std::map<std::string, HttpPrefixHandler, std::less<>> handlers_below;  // guarded by mutex
  std::string authorization;                                             // what the header must say; empty: anything
  std::string host;
  int port = 0;
  std::string address;
  std::mutex log_mutex;
  std::string log;                // civetweb's first complaint, which names the cause; guarded by log_mutex
  mg_context* context = nullptr;  // last: its threads use all of the above

  void Start(const std::string& endpoint) {
    const std::array<const char*, 9> settings = {
        "listening_ports", endpoint.c_str(),    "num_threads", kServerThreads, "request_timeout_ms",
        kRequestTimeoutMs, "enable_keep_alive", "no",          nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = &Impl::OnLog;
    callbacks.init_thread = &LowerPriority;
    const AllSignalsBlocked blocked;
    context = mg_start(&callbacks, this, const_cast<const char**>(settings.data()));
    if (context == nullptr) throw std::runtime_error("cannot listen on " + endpoint + (log.empty() ? "" : ": ") + log);
  }

  static int OnLog(const mg_connection* connection, const char* message) {
    auto* self = static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
    const std::lock_guard lock(self->log_mutex);
    if (self->log.empty()) self->log = message;
    return 1;  // it is dealt with: civetweb prints nothing
  }

  // What refuses a request before its path is looked at.
  std::optional<HttpResponse> Refuse(const mg_connection* connection, std::string_view method, std::string_view path) {
    if (IsLoopback(host) && !IsAddress(HostOf(Header(connection, "Host")))) {
      return HttpResponse{421, "text/plain", "This server answers to its address or to localhost.\n"};
    }
    if (method != "GET" && method != "HEAD") {
      return HttpResponse{405, "text/plain", "Only GET and HEAD are answered here.\n"};
    }
    if (authorization.empty() || path == "/healthz") return std::nullopt;
    if (EqualSecrets(Header(connection, "Authorization"), authorization)) return std::nullopt;
    return HttpResponse{401, "text/plain", "A user name and a password are needed.\n",
                        "WWW-Authenticate: Basic realm=\"Equipoise\"\r\n"};
  }

  // Ready to be called without the lock; empty when nothing handles the path.
  HttpHandler Find(std::string_view path) {
    const std::shared_lock lock(mutex);
    const auto found = handlers.find(path);
    if (found != handlers.end()) return found->second;
    for (const auto& below : handlers_below) {
      if (!path.starts_with(below.first)) continue;
      return [handler = below.second, rest = path.substr(below.first.size())] { return handler(rest); };
    }
    return nullptr;
  }

  HttpResponse Answer(std::string_view path) {
    const HttpHandler handler = Find(path);
    if (!handler) return {404, "text/plain", "Nothing is here.\n"};
    try {
      return handler();
    } catch (const std::exception& error) {
      return {500, "text/plain", std::string(error.what()) + "\n"};
    }
  }

  static int OnRequest(mg_connection* connection, void* self) {
    const mg_request_info* request = mg_get_request_info(connection);
    const std::string_view method(request->request_method);
    const char* path = request->local_uri != nullptr ? request->local_uri : "";
    auto* impl = static_cast<Impl*>(self);
    const std::optional<HttpResponse> refusal = impl->Refuse(connection, method, path);
    const HttpResponse response = refusal ? *refusal : impl->Answer(path);
    Send(connection, response, method != "HEAD");
    return response.status;
  }
};

HttpServer::HttpServer(const std::string& address, int port, const std::string& credentials)
    : impl_(std::make_unique<Impl>()) {
  if (!credentials.empty()) impl_->authorization = "Basic " + Base64(credentials);
  impl_->host = address;
  impl_->Start(Endpoint(address, port));
  impl_->port = RealPort(impl_->context);
  impl_->address = Endpoint(address, impl_->port);
  // One handler for every path: civetweb's own routing would also take /metrics/anything for /metrics.
  mg_set_request_handler(impl_->context, "/**", &Impl::OnRequest, impl_.get());
}

HttpServer::~HttpServer() {
  std::atomic<bool> stopped = false;
  std::thread stopping([this, &stopped] {
    mg_stop(impl_->context);
    stopped = true;
  });
  // civetweb looks at its stop flag every two seconds, or when somebody connects: knock, so that no exit waits for it.
  while (!stopped) {
    if (mg_connection* knock = mg_connect_client(impl_->host.c_str(), impl_->port, 0, nullptr, 0)) {
      mg_close_connection(knock);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stopping.join();
}

void HttpServer::Handle(const std::string& path, HttpHandler handler) {
  const std::unique_lock lock(impl_->mutex);
  impl_->handlers.insert_or_assign(path, std::move(handler));
}

void HttpServer::HandleBelow(const std::string& prefix, HttpPrefixHandler handler) {
  const std::unique_lock lock(impl_->mutex);
  impl_->handlers_below.insert_or_assign(prefix, std::move(handler));
}

int HttpServer::port() const { return impl_->port; }

const std::string& HttpServer::address() const { return impl_->address; }

}  // namespace gan::monitoring
