#include "trainer/nearest/thumbnail.h"

#include <algorithm>

namespace gan::nearest {

namespace {

constexpr std::size_t kColours = 3;

struct Range {
  std::size_t begin, end;
};

// When an image is enlarged, several pixels show the same source pixel.
Range CellOf(std::size_t i, std::size_t side, std::size_t to) {
  const std::size_t begin = i * side / to;
  return {begin, std::max(begin + 1, (i + 1) * side / to)};
}

std::uint8_t Mean(std::span<const std::uint8_t> rgb, std::size_t side, Range rows, Range columns, std::size_t colour) {
  std::uint64_t sum = 0;
  for (std::size_t y = rows.begin; y < rows.end; ++y) {
    for (std::size_t x = columns.begin; x < columns.end; ++x) sum += rgb[kColours * (y * side + x) + colour];
  }
  const std::uint64_t count = (rows.end - rows.begin) * (columns.end - columns.begin);
  // Rounded to the nearest level in whole numbers, so that all machines get the same thumbnail.
  return static_cast<std::uint8_t>((2 * sum + count) / (2 * count));
}

void Mirror(std::span<const std::uint8_t> from, std::size_t side, std::span<std::uint8_t> to) {
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      std::copy_n(&from[kColours * (y * side + x)], kColours, &to[kColours * (y * side + side - 1 - x)]);
    }
  }
}

}  // namespace

std::vector<std::uint8_t> Resized(std::span<const std::uint8_t> rgb, std::size_t side, std::size_t to) {
  if (side == to) return {rgb.begin(), rgb.end()};
  std::vector<std::uint8_t> small;
  small.reserve(kColours * to * to);
  for (std::size_t y = 0; y < to; ++y) {
    for (std::size_t x = 0; x < to; ++x) {
      for (std::size_t colour = 0; colour < kColours; ++colour) {
        small.push_back(Mean(rgb, side, CellOf(y, side, to), CellOf(x, side, to), colour));
      }
    }
  }
  return small;
}

std::vector<std::uint8_t> Mirrored(std::span<const std::uint8_t> rgb, std::size_t side) {
  std::vector<std::uint8_t> mirrored(rgb.size());
  Mirror(rgb, side, mirrored);
  return mirrored;
}

Thumbnail ThumbnailOf(std::span<const std::uint8_t> rgb, std::size_t side) {
  const std::vector<std::uint8_t> small = Resized(rgb, side, kThumbnailSide);
  Thumbnail thumbnail;
  std::ranges::copy(small, thumbnail.begin());
  return thumbnail;
}

Thumbnail Mirrored(const Thumbnail& thumbnail) {
  Thumbnail mirrored;
  Mirror(thumbnail, kThumbnailSide, mirrored);
  return mirrored;
}

}  // namespace gan::nearest
