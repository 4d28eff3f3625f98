#include "monitoring/http_server.h"

#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <utility>

#include "monitoring/base64.h"
#include "monitoring/connections.h"
#include "monitoring/http_access.h"
#include "monitoring/http_request.h"

namespace gan::monitoring {
namespace {

// Compares in a time that does not depend on the position of the first difference, so that timing does not reveal the
// secret. The loop runs over the expected secret, so its time does not depend on what the client sends either.
bool EqualSecrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a.empty() ? 0 : a[i % a.size()]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

// Clients ignore the text, but the protocol requires one.
const char* ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 421:
      return "Misdirected Request";
    default:
      return status >= 500 ? "Internal Server Error" : "Other";
  }
}

// nosniff, no-referrer and same-origin keep other web sites from using the responses. Without no-store a browser would
// show old curves. A response to HEAD states the length of the body that GET would have.
std::string InFull(const HttpResponse& response, bool with_body) {
  return "HTTP/1.1 " + std::to_string(response.status) + " " + ReasonOf(response.status) +
         "\r\nContent-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(response.body.size()) +
         "\r\nX-Content-Type-Options: nosniff\r\n" + (response.status == 405 ? "Allow: GET, HEAD\r\n" : "") +
         "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n" + response.headers +
         "Cache-Control: no-store\r\nConnection: close\r\n\r\n" + (with_body ? response.body : "");
}

}  // namespace

struct HttpServer::Impl {
  std::shared_mutex mutex;
  std::map<std::string, HttpHandler, std::less<>> handlers;              // guarded by mutex
  std::map<std::string, HttpPrefixHandler, std::less<>> handlers_below;  // guarded by mutex
  std::string authorization;  // required value of the Authorization header; empty: none required
  std::string host;
  std::string address;
  std::optional<Connections> connections;  // last: its threads use all members above

  // Rejects a request before its path is considered.
  std::optional<HttpResponse> Refuse(const HttpRequest& request) const {
    // A web page that resolves its own name to 127.0.0.1 (DNS rebinding) sends that name as Host.
    if (IsLoopback(host) && !IsAddress(HostOf(request.Header("host")))) {
      return HttpResponse{421, "text/plain", "Use the server's IP address or localhost.\n"};
    }
    if (request.method != "GET" && request.method != "HEAD") {
      return HttpResponse{405, "text/plain", "Only GET and HEAD are supported.\n"};
    }
    // The probe of a container platform has no password.
    if (authorization.empty() || request.path == "/healthz") return std::nullopt;
    if (EqualSecrets(request.Header("authorization"), authorization)) return std::nullopt;
    return HttpResponse{401, "text/plain", "A user name and a password are required.\n",
                        "WWW-Authenticate: Basic realm=\"Equipoise\"\r\n"};
  }

  // Returns a handler that can be called without the lock; empty when nothing handles the path.
  // The handler is copied, so a slow one does not keep the page from adding its paths.
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

  HttpResponse Respond(const HttpRequest& request) {
    if (std::optional<HttpResponse> refusal = Refuse(request)) return *refusal;
    const HttpHandler handler = Find(request.path);
    return handler ? handler() : HttpResponse{404, "text/plain", "Not found.\n"};
  }

  std::string Answer(const HttpRequest* request) {
    if (request == nullptr) return InFull({400, "text/plain", "Invalid request.\n"}, true);
    try {
      return InFull(Respond(*request), request->method != "HEAD");
    } catch (const std::exception& error) {
      return InFull({500, "text/plain", std::string(error.what()) + "\n"}, true);
    }
  }
};

// The threads of the connections start last, when everything that they use exists.
HttpServer::HttpServer(const std::string& address, int port, const std::string& credentials)
    : impl_(std::make_unique<Impl>()) {
  if (!credentials.empty()) impl_->authorization = "Basic " + Base64(credentials);
  impl_->host = address;
  impl_->connections.emplace(address, port,
                             [impl = impl_.get()](const HttpRequest* request) { return impl->Answer(request); });
  impl_->address = Endpoint(ReachableHost(address), impl_->connections->port());
}

HttpServer::~HttpServer() = default;

void HttpServer::Handle(const std::string& path, HttpHandler handler) {
  const std::unique_lock lock(impl_->mutex);
  impl_->handlers.insert_or_assign(path, std::move(handler));
}

void HttpServer::HandleBelow(const std::string& prefix, HttpPrefixHandler handler) {
  const std::unique_lock lock(impl_->mutex);
  impl_->handlers_below.insert_or_assign(prefix, std::move(handler));
}

int HttpServer::port() const { return impl_->connections->port(); }

const std::string& HttpServer::address() const { return impl_->address; }

}  // namespace gan::monitoring
