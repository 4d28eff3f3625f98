// Safetensors files. Half of the inputs get a header length that fits, because the fuzzer would hardly ever find one. A
// file that is understood has every tensor inside it, one after another.
#include <cstdlib>
#include <cstring>

#include "checkpoint/safetensors.h"
#include "tests/fuzz/fuzz.h"

namespace {

void Decode(const std::string& file) {
  gan::fuzz::ReadOrRefuse([&] {
    std::size_t bytes = 0;
    for (const auto& tensor : gan::checkpoint::DecodeSafetensors(std::as_bytes(std::span(file)), "s")) {
      bytes += tensor.data.size();
      for (const std::byte b : tensor.data) bytes += b == std::byte{1} ? 0 : 0;  // every byte can be read
    }
    std::uint64_t header = 0;
    std::memcpy(&header, file.data(), sizeof header);
    if (bytes != file.size() - sizeof header - header) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file = gan::fuzz::Text(data, size);
  Decode(file);
  const std::size_t end = file.rfind('}');
  if (size < 9 || end == std::string::npos || end < 8) return 0;
  const std::uint64_t length = end - 7;
  std::memcpy(file.data(), &length, sizeof length);
  Decode(file);
  return 0;
}
