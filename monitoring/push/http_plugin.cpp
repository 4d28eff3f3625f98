#include "monitoring/push/http_plugin.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace {

constexpr long kConnectMilliseconds = 3000;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// Returning less than `count` ends the transfer: an endpoint that floods is not read for ever.
std::size_t TakeAnswer(char* bytes, std::size_t /*size*/, std::size_t count, void* place) {
  auto* result = static_cast<GanHttpResult*>(place);
  const std::size_t taken = std::min(count, sizeof result->answer - result->answer_bytes);
  std::memcpy(result->answer + result->answer_bytes, bytes, taken);
  result->answer_bytes += taken;
  return taken;
}

// A value other than 0 ends the transfer.
int EndIfStopping(void* place, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/, curl_off_t /*up*/) {
  const auto* request = static_cast<const GanHttpRequest*>(place);
  return request->is_stopping(request->context) ? 1 : 0;
}

// Redirects are not followed; only HTTP and HTTPS are used; certificates are verified, which is libcurl's default.
void SetOptions(CURL* handle, const GanHttpRequest* request, curl_slist* headers, GanHttpResult* result) {
  curl_easy_setopt(handle, CURLOPT_URL, request->url);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request->body_bytes));
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "equipoise");
  if (request->certificate != nullptr) curl_easy_setopt(handle, CURLOPT_CAINFO, request->certificate);
  // libcurl would otherwise use SIGALRM for time limits of name look-ups, in a process that uses its signals otherwise.
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, request->timeout_ms);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, std::min(kConnectMilliseconds, request->timeout_ms));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, TakeAnswer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, result);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, EndIfStopping);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, request);
}

}  // namespace

extern "C" {

void* GanHttpOpen() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return nullptr;
  return curl_easy_init();
}

void GanHttpClose(void* handle) { curl_easy_cleanup(static_cast<CURL*>(handle)); }

// The caller keeps the handle, so that a connection is used again.
void GanHttpPost(void* opened, const GanHttpRequest* request, GanHttpResult* result) {
  CURL* handle = static_cast<CURL*>(opened);
  *result = {};
  std::unique_ptr<curl_slist, FreeList> headers(curl_slist_append(nullptr, "Content-Type: application/json"));
  curl_slist_append(headers.get(), "Expect:");  // saves a round trip before a large body
  for (std::size_t i = 0; i < request->header_count; ++i) curl_slist_append(headers.get(), request->headers[i]);
  // The call resets the options of the earlier message, and keeps the connection.
  curl_easy_reset(handle);
  SetOptions(handle, request, headers.get(), result);
  const CURLcode code = curl_easy_perform(handle);
  curl_off_t wait = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &result->status);
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &wait);
  result->wait_seconds = static_cast<long>(std::clamp<curl_off_t>(wait, 0, 3600));
  // If an answer is too long, its status is already known, and the status suffices.
  result->answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && result->status != 0);
  // The error's general text, because the detailed one names the host.
  std::strncpy(result->why, curl_easy_strerror(code), sizeof result->why - 1);
}

}  // extern "C"
