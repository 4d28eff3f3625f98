// Any bytes as a picture file: decoded or rejected, never a crash, a leak or an access outside. Only the formats that
// are decoded in the process itself; OpenCV's formats are decoded elsewhere.
#include <cstddef>
#include <cstdint>
#include <span>

#include "preprocess/pipeline/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  gan::preprocess::RecordOptions options;
  options.size = 16;                    // so that pictures of 256 px are scaled down by 8 when decoded fast
  options.decode.max_pixels = 1 << 20;  // keeps one input under a second
  options.mode = size % 2 == 0 ? gan::preprocess::DecodeMode::kExact : gan::preprocess::DecodeMode::kFast;
  try {
    gan::preprocess::MakeRecord(file, options);
  } catch (const gan::preprocess::Rejected&) {
  }
  return 0;
}
