// Sun raster: plain and run-length encoded, 1, 8, 24 and 32 bits, with or without a palette (Pillow 12.0.0,
// SunImagePlugin.py). It is our own, because OpenCV does not read run-length encoded greys.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "preprocess/decode/decode.h"
#include "storage/byte_order.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kSunHeader = 32;
enum SunKind : std::uint32_t { kSunOld = 0, kSunStandard = 1, kSunPacked = 2, kSunRgb = 3, kSunTiff = 4, kSunIff = 5 };

struct SunHeader {
  std::uint32_t width = 0, height = 0, depth = 0, kind = 0, map_bytes = 0;
};

[[noreturn]] void RejectSun(Reason reason, const std::string& what) { throw Rejected(reason, "Sun raster: " + what); }

// The header is eight numbers: magic, width, height, depth, length of the data, kind, kind of the palette and its
// length. The length of the data is not used: Pillow ignores it too, as unreliable.
std::uint32_t SunNumber(std::span<const std::byte> file, std::size_t field) {
  return static_cast<std::uint32_t>(storage::BigEndian(file.subspan(4 * field, 4)));
}

SunHeader ReadSunHeader(std::span<const std::byte> file) {
  if (file.size() < kSunHeader) RejectSun(Reason::kTruncated, "the data ends early");
  const SunHeader h = {SunNumber(file, 1), SunNumber(file, 2), SunNumber(file, 3), SunNumber(file, 5),
                       SunNumber(file, 7)};
  const bool depth = h.depth == 1 || h.depth == 8 || h.depth == 24 || h.depth == 32;
  if (!depth || h.kind > kSunIff) RejectSun(Reason::kUnsupported, std::to_string(h.depth) + " bits per pixel");
  const std::uint32_t map_kind = SunNumber(file, 6);
  if (map_kind > 1 || h.map_bytes > 1024 || (h.map_bytes > 0 && map_kind == 0)) {
    RejectSun(Reason::kUnsupported, "a palette of another kind");
  }
  if (h.map_bytes > file.size() - kSunHeader) RejectSun(Reason::kTruncated, "the data ends early");
  return h;
}

// 0x80, count, value means a run; 0x80, 0 means one byte 0x80; any other byte means itself.
std::vector<std::byte> Unpacked(std::span<const std::byte> packed, std::size_t bytes) {
  constexpr std::byte kMark{0x80};
  std::vector<std::byte> out;
  out.reserve(bytes);
  for (std::size_t at = 0; at < packed.size() && out.size() < bytes; ++at) {
    if (packed[at] != kMark) {
      out.push_back(packed[at]);
      continue;
    }
    if (++at >= packed.size()) break;
    if (packed[at] == std::byte{0}) {
      out.push_back(kMark);
      continue;
    }
    const auto count = static_cast<std::size_t>(packed[at]) + 1;
    if (++at >= packed.size()) break;
    out.insert(out.end(), std::min(count, bytes - out.size()), packed[at]);
  }
  return out;
}

// The map has all red bytes first, then green, then blue.
std::array<std::uint8_t, 3> SunColour(std::span<const std::byte> map, std::size_t index) {
  // Colours that the palette does not have are grey, as in a new palette of Pillow.
  const std::size_t colours = map.size() / 3;
  std::array<std::uint8_t, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] =
        index < colours ? static_cast<std::uint8_t>(map[c * colours + index]) : static_cast<std::uint8_t>(index);
  }
  return colour;
}

class SunPainter {
 public:
  SunPainter(const SunHeader& h, std::span<const std::byte> map, std::span<const std::byte> pixels, std::size_t stride)
      : h_(h), map_(map), pixels_(pixels), stride_(stride) {}

  std::array<std::uint8_t, 3> Pixel(std::size_t x, std::size_t y) const {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(pixels_[y * stride_ + i]); };
    if (h_.depth == 1) {
      const bool set = (byte(x / 8) >> (7 - x % 8) & 1) != 0;
      return map_.empty() ? Grey(set ? 0 : 255) : SunColour(map_, set ? 1 : 0);
    }
    if (h_.depth == 8) return map_.empty() ? Grey(byte(x)) : SunColour(map_, byte(x));
    const std::size_t at = x * h_.depth / 8 + (h_.depth == 32 ? 1 : 0);  // the first of four is padding
    if (h_.kind == kSunRgb) return {byte(at), byte(at + 1), byte(at + 2)};
    return {byte(at + 2), byte(at + 1), byte(at)};
  }

 private:
  static std::array<std::uint8_t, 3> Grey(std::uint8_t value) { return {value, value, value}; }

  const SunHeader& h_;
  std::span<const std::byte> map_, pixels_;
  std::size_t stride_;
};

}  // namespace

Rgb8 DecodeSunRaster(std::span<const std::byte> file, const DecodeOptions& options) {
  const SunHeader h = ReadSunHeader(file);
  RequireRoom(h.width, h.height, 4 + 3, options);
  const auto map = file.subspan(kSunHeader, h.map_bytes);
  std::span<const std::byte> pixels = file.subspan(kSunHeader + h.map_bytes);
  // Rows end at a multiple of 16 bits.
  const std::size_t stride = (std::size_t{h.width} * h.depth + 15) / 16 * 2;
  std::vector<std::byte> unpacked;
  if (h.kind == kSunPacked) pixels = unpacked = Unpacked(pixels, stride * h.height);
  if (pixels.size() < stride * h.height) RejectSun(Reason::kTruncated, "the data ends early");
  const SunPainter painter(h, map, pixels, stride);
  Rgb8 out(h.width, h.height);
  auto at = out.pixels.begin();
  for (std::size_t y = 0; y < h.height; ++y) {
    for (std::size_t x = 0; x < h.width; ++x) at = std::copy_n(painter.Pixel(x, y).begin(), 3, at);
  }
  return out;
}

}  // namespace gan::preprocess
