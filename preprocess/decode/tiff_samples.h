// Converts the samples of a TIFF, as libtiff unpacks them, to 8-bit RGB or RGBA with the conversions of Pillow 12.0.0.
#pragma once

#include <tiffio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gan::preprocess {

enum class Alpha { kNone, kStraight, kMultiplied };

struct Layout {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, photometric = 0, planar = PLANARCONFIG_CONTIG, format = SAMPLEFORMAT_UINT;
  std::uint16_t compression = COMPRESSION_NONE;
  Alpha alpha = Alpha::kNone;
  int colours = 1;  // samples without the extra ones
  const std::uint16_t* map[3] = {nullptr, nullptr, nullptr};
};

// Converts one row of a strip or tile to one byte per sample.
class Unpacker {
 public:
  explicit Unpacker(const Layout& l) : l_(l) {}

  void Row(const std::uint8_t* in, std::size_t samples, std::uint8_t* out) const {
    for (std::size_t i = 0; i < samples; ++i) out[i] = Sample(in, i);
  }

 private:
  std::uint8_t Sample(const std::uint8_t* in, std::size_t i) const {
    switch (l_.bits) {
      case 8:
        return in[i];
      case 16:
        return Sixteen(Load<std::uint16_t>(in, i));
      case 12:
        return static_cast<std::uint8_t>(i % 2 == 0 ? in[i / 2 * 3]
                                                    : (in[i / 2 * 3 + 1] & 15) << 4 | in[i / 2 * 3 + 2] >> 4);
      case 32:
        return l_.format == SAMPLEFORMAT_IEEEFP ? Float(Load<float>(in, i)) : Clip(Load<std::int32_t>(in, i));
      default:
        return Few(in, i);
    }
  }

  template <typename T>
  static T Load(const std::uint8_t* in, std::size_t i) {
    T value{};
    std::memcpy(&value, in + i * sizeof(T), sizeof(T));
    return value;
  }

  static std::uint8_t Clip(std::int32_t value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }
  static std::uint8_t Float(float value) {
    if (!(value > 0)) return 0;
    return value >= 255 ? 255 : static_cast<std::uint8_t>(value);
  }
  std::uint8_t Sixteen(std::uint16_t value) const {
    if (l_.format == SAMPLEFORMAT_INT) return Clip(static_cast<std::int16_t>(value));
    return static_cast<std::uint8_t>(value >> 8);
  }
  // Greys are scaled to 0..255, indices are not.
  std::uint8_t Few(const std::uint8_t* in, std::size_t i) const {
    const std::size_t bit = i * l_.bits;
    const unsigned most = (1U << l_.bits) - 1;
    const unsigned value = in[bit / 8] >> (8 - l_.bits - bit % 8) & most;
    return static_cast<std::uint8_t>(l_.photometric == PHOTOMETRIC_PALETTE ? value : value * 255 / most);
  }

  const Layout& l_;
};

std::uint8_t MultiplyDivide255(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t t = a * b + 128;
  return static_cast<std::uint8_t>(((t >> 8) + t) >> 8);
}

// Converts the samples of a pixel, as bytes, to RGB or RGBA.
class Painter {
 public:
  explicit Painter(const Layout& l)
      : l_(l), inverted_(l.photometric == PHOTOMETRIC_MINISWHITE && l.format != SAMPLEFORMAT_IEEEFP) {}

  int channels() const { return l_.alpha == Alpha::kNone ? 3 : 4; }

  void Pixel(const std::uint8_t* in, std::uint8_t* out) const {
    Colour(in, out);
    if (l_.alpha == Alpha::kNone) return;
    out[3] = in[l_.colours];
    if (l_.alpha == Alpha::kMultiplied) Divide(out);
  }

 private:
  void Colour(const std::uint8_t* in, std::uint8_t* out) const {
    if (l_.photometric == PHOTOMETRIC_PALETTE) {
      for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(l_.map[c][in[0]] >> 8);
    } else if (l_.photometric == PHOTOMETRIC_SEPARATED) {
      const std::uint32_t light = 255U - in[3];
      for (int c = 0; c < 3; ++c)
        out[c] = static_cast<std::uint8_t>(std::max(0, static_cast<int>(light) - MultiplyDivide255(in[c], light)));
    } else {
      for (int c = 0; c < 3; ++c)
        out[c] = inverted_ ? static_cast<std::uint8_t>(255 - in[0]) : in[l_.colours == 3 ? c : 0];
    }
  }

  // Pillow's unpackRGBa.
  static void Divide(std::uint8_t* out) {
    if (out[3] == 255) return;
    for (int c = 0; c < 3; ++c)
      out[c] = out[3] == 0 ? 0 : static_cast<std::uint8_t>(std::min(255, out[c] * 255 / out[3]));
  }

  const Layout& l_;
  const bool inverted_;
};

}  // namespace gan::preprocess
