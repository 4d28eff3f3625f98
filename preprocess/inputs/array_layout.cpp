#include "preprocess/inputs/array_layout.h"

#include <string>
#include <vector>

#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

std::optional<PictureArray> LayoutOf(const ArrayHeader& header, const fs::path& file) {
  constexpr std::uint64_t kFewestPixels = 64, kLargestSide = 65'535, kMostPictures = 100'000'000;
  if (!header.IsBytes() || header.shape.size() < 3 || header.shape.size() > 4) return std::nullopt;
  const auto is_channels = [](std::uint64_t n) { return n == 1 || n == 3 || n == 4; };
  std::vector<std::uint64_t> shape = header.shape;
  // one picture, as numpy.save writes it
  const bool is_one = shape.size() == 3 && is_channels(shape[2]) && !header.is_idx;
  if (is_one) shape.insert(shape.begin(), 1);
  const bool has_channels = shape.size() == 4;
  const bool is_last = has_channels && is_channels(shape[3]);
  if (has_channels && !is_last && !is_channels(shape[1])) return std::nullopt;
  // A wrong guess would give noise without an error.
  if (has_channels && is_last && !is_one && is_channels(shape[1])) {
    throw DataError(file, header.Words() + " may be [n, height, width, channels] or [n, channels, height, width]");
  }
  // In Fortran order the values of one picture are not contiguous.
  if (header.is_fortran)
    throw DataError(file, header.Words() + " is in Fortran's order; numpy.ascontiguousarray changes that");
  const bool is_planar = has_channels && !is_last;
  const std::uint64_t height = shape[is_planar ? 2 : 1], width = shape[is_planar ? 3 : 2];
  if (height > kLargestSide || width > kLargestSide || height * width < kFewestPixels || shape[0] > kMostPictures) {
    throw DataError(
        file, header.Words() + " is not read: pictures have 64 pixels to 65,535 per side, an array up to 100 million");
  }
  return PictureArray{.offset = header.offset,
                      .count = shape[0],
                      .width = static_cast<std::uint32_t>(width),
                      .height = static_cast<std::uint32_t>(height),
                      .channels = has_channels ? static_cast<std::uint32_t>(shape[is_last ? 3 : 1]) : 1,
                      .prefix = 0,
                      .is_planar = is_planar,
                      .is_one = is_one};
}

}  // namespace gan::preprocess
