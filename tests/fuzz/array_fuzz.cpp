// Any bytes as the beginning of an array: its header and shape are understood or refused, and so are its numbers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "preprocess/inputs/array_header.h"
#include "preprocess/inputs/arrays.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = gan::fuzz::Text(data, size);
  gan::fuzz::ReadOrRefuse([&] {
    const auto header = gan::preprocess::ReadArrayHeader(text, "fuzz");
    if (!header) return;
    if (header->offset > size || header->Words().empty()) std::abort();
    const auto layout = gan::preprocess::LayoutOf(*header, "fuzz");
    if (layout && layout->stride() < 64) std::abort();
    if (static_cast<std::uint64_t>(ReadNumbers(*header, text, "fuzz").size()) != header->count()) std::abort();
  });
  return 0;
}
