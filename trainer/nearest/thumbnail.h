#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gan::nearest {

// uint8 [side, side, 3] -> uint8 [to, to, 3]: each pixel is the mean, rounded to the nearest level, of the source
// pixels from floor(i side / to) up to floor((i + 1) side / to), at least one. Neither side may be 0.
std::vector<std::uint8_t> Resized(std::span<const std::uint8_t> rgb, std::size_t side, std::size_t to);
// uint8 [side, side, 3], left and right exchanged.
std::vector<std::uint8_t> Mirrored(std::span<const std::uint8_t> rgb, std::size_t side);

// Images are compared by thumbnails of this size: 16 x 16 pixels are so coarse that noise, blur and a shift by a pixel
// change little.
inline constexpr std::size_t kThumbnailSide = 16;
using Thumbnail = std::array<std::uint8_t, 3 * kThumbnailSide * kThumbnailSide>;

Thumbnail ThumbnailOf(std::span<const std::uint8_t> rgb, std::size_t side);
Thumbnail Mirrored(const Thumbnail& thumbnail);

}  // namespace gan::nearest
