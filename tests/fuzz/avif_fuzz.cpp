#include "tests/fuzz/plugin_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return gan::fuzz::DecodeAny(data, size);
}
