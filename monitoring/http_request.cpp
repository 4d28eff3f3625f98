#include "monitoring/http_request.h"

#include <algorithm>
#include <charconv>

namespace gan::monitoring {
namespace {

constexpr std::string_view kWhiteSpace = " \t";

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

// Removes the first line from `text` and returns it. Lines end with LF, usually preceded by CR.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Decodes percent escapes. A zero byte is rejected, because a C function would end the path there. "%2F" and ".."
// become part of the path like any other text, which is harmless because paths are looked up in a table.
std::optional<std::string> Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 3 > text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (error != std::errc() || end != text.data() + i + 3 || value == 0) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

// The target must not contain a space: there are exactly three words.
bool ReadRequestLine(std::string_view line, HttpRequest& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == 0 || first == std::string_view::npos || last == first) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!target.starts_with('/') || target.find(' ') != std::string_view::npos ||
      !line.substr(last + 1).starts_with("HTTP/1.")) {
    return false;
  }
  const std::optional<std::string> path = Decoded(target.substr(0, target.find_first_of("?#")));
  // A zero byte can also arrive without an escape.
  if (!path || path->find('\0') != std::string::npos) return false;
  request.method = line.substr(0, first);
  request.path = *path;
  return true;
}

}  // namespace

// Names are stored in lower case, since they are case-insensitive.
std::string_view HttpRequest::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

// Clients may end lines with LF alone (RFC 9112, section 2.2), so both forms of an empty line end the head.
std::optional<std::size_t> EndOfHead(std::string_view bytes) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    const std::string_view rest = bytes.substr(at + 1);
    if (rest.starts_with('\n')) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return std::nullopt;
}

// The first of several headers with one name counts.
std::optional<HttpRequest> ParseHead(std::string_view head) {
  HttpRequest request;
  if (!ReadRequestLine(TakeLine(head), request)) return std::nullopt;
  while (!head.empty()) {
    const std::string_view line = TakeLine(head);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), &LowerCase);
    request.headers.emplace(std::move(name), Trimmed(line.substr(colon + 1)));
  }
  return request;
}

}  // namespace gan::monitoring
