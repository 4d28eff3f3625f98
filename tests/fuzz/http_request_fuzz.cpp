// Heads of HTTP requests. A head that is understood has a path that begins with a slash, and reads the same again
// without the bytes behind its empty line.
#include <cstdlib>

#include "monitoring/http_request.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = gan::fuzz::Text(data, size);
  const auto end = gan::monitoring::EndOfHead(bytes);
  const auto request = gan::monitoring::ParseHead(bytes);
  if (!request) return 0;
  if (!request->path.starts_with('/') || request->method.empty()) std::abort();
  if (end && gan::monitoring::ParseHead(bytes.substr(0, *end))->path != request->path) std::abort();
  return 0;
}
