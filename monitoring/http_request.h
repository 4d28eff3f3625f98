// Parses the head of an HTTP request.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gan::monitoring {

inline constexpr std::size_t kMaxRequestHead = std::size_t{16} << 10;  // bytes, including the empty line at its end

struct HttpRequest {
  std::string method;
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> headers;  // names in lower case

  std::string_view Header(const std::string& name) const;  // "" when there is none
};

// The offset of the first byte after the head's empty line. Empty when more bytes must arrive first.
std::optional<std::size_t> EndOfHead(std::string_view bytes);

// Empty when the text is not a valid request head (RFC 9112): the request line does not have three words, the path does
// not begin with a slash or contains an invalid escape or a zero byte, or a header line has no colon.
std::optional<HttpRequest> ParseHead(std::string_view head);

}  // namespace gan::monitoring
