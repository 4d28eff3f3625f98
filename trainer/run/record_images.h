#pragma once

#include <torch/types.h>

#include <cstdint>
#include <cstring>

#include "trainer/data/loader.h"
#include "trainer/run/batches.h"

namespace gan::run {

// Images [first, first + count) as training sees them, on the CPU. record_of(i) returns the record of image i.
template <typename RecordOf>
torch::Tensor ImagesOf(const data::Dataset& dataset, std::int64_t first, std::int64_t count, std::int64_t resolution,
                       const RecordOf& record_of) {
  const auto side = static_cast<std::int64_t>(dataset.image_size());
  torch::Tensor pixels = torch::empty({count, side, side, 3}, torch::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  // Copied at once, since a page that becomes unreadable during the copy requires a second attempt.
  for (std::int64_t i = first; i < first + count; ++i) {
    data::UntilNothingIsLost([&] {
      const std::span<const std::byte> record = record_of(static_cast<std::uint64_t>(i));
      std::memcpy(out, record.data(), record.size());
    });
    out += 3 * side * side;
  }
  return ToImages(pixels, resolution, torch::kCPU);
}

}  // namespace gan::run
