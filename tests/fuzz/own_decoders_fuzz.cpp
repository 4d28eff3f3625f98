// Any bytes to the decoders that are our own, each past the check of what a file begins with.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/formats.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  gan::preprocess::DecodeOptions options;
  options.max_pixels = 1 << 20;  // keeps one input under a second
  const auto file = std::as_bytes(std::span(data, size));
  for (const gan::preprocess::Format& format : gan::preprocess::Formats()) {
    if (format.library != gan::preprocess::OwnDecoder) continue;
    try {
      const gan::preprocess::Rgb8 image = format.decode(file, options);
      if (image.pixels.size() != std::size_t{3} * image.width * image.height) std::abort();
    } catch (const gan::preprocess::Rejected&) {
    }
  }
  return 0;
}
