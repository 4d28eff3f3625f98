// The head of an HTTP request, understood from its bytes alone.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gan::monitoring {

inline constexpr std::size_t kMaxRequestHead = std::size_t{16} << 10;  // bytes, the empty line at its end included

struct HttpRequest {
  std::string method;
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> headers;  // names in lower case

  std::string_view Header(const std::string& name) const;  // "" when there is none
};

// Where the head ends in what has come so far: the byte behind its empty line. Nothing: more must come.
std::optional<std::size_t> EndOfHead(std::string_view bytes);

// Nothing when it is no request (RFC 9112): no three words, a path that does not begin with a slash or has a bad escape
// or a zero byte, a header without a colon.
std::optional<HttpRequest> ParseHead(std::string_view head);

}  // namespace gan::monitoring
