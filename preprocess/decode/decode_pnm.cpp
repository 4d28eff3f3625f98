// PBM, PGM and PPM, plain and raw, with any maximum (Pillow 12.0.0, PpmImagePlugin.py). It is our own, because OpenCV
// ignores the maximum.
#include <algorithm>
#include <cmath>
#include <string>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

namespace {

[[noreturn]] void RejectPnm(Reason reason, const char* what) { throw Rejected(reason, std::string("PNM: ") + what); }

bool IsSpace(std::byte b) { return b == std::byte{' '} || (b >= std::byte{'\t'} && b <= std::byte{'\r'}); }
bool IsDigit(std::byte b) { return b >= std::byte{'0'} && b <= std::byte{'9'}; }

class PnmText {
 public:
  explicit PnmText(std::span<const std::byte> rest) : rest_(rest) {}

  void SkipSpace() {
    while (!rest_.empty() && (IsSpace(rest_[0]) || rest_[0] == std::byte{'#'})) {
      if (rest_[0] == std::byte{'#'}) SkipComment();
      if (!rest_.empty()) rest_ = rest_.subspan(1);
    }
  }

  std::uint32_t Number() {
    constexpr std::uint64_t kMost = 0xFFFFFFFF;
    SkipSpace();
    if (rest_.empty()) RejectPnm(Reason::kTruncated, "the data ends early");
    if (!IsDigit(rest_[0])) RejectPnm(Reason::kCorrupt, "no number where one must be");
    std::uint64_t number = 0;
    for (; !rest_.empty() && IsDigit(rest_[0]); rest_ = rest_.subspan(1)) {
      // A number that is too long becomes the largest one instead of overflowing to a small one.
      number = std::min(kMost, 10 * number + static_cast<std::uint64_t>(rest_[0]) - '0');
    }
    return static_cast<std::uint32_t>(number);
  }

  // Reads a pixel of a plain bitmap: one digit, with or without white space.
  std::uint32_t Bit() {
    SkipSpace();
    if (rest_.empty()) RejectPnm(Reason::kTruncated, "the data ends early");
    const auto digit = static_cast<std::uint32_t>(rest_[0]) - '0';
    if (digit > 1) RejectPnm(Reason::kCorrupt, "a bit that is neither 0 nor 1");
    rest_ = rest_.subspan(1);
    return digit;
  }

  // The data behind a header and one byte of white space. Only one byte is skipped, because the first byte of the data
  // may look like white space.
  std::span<const std::byte> Rest() const { return rest_.empty() ? rest_ : rest_.subspan(1); }

 private:
  void SkipComment() {
    while (rest_.size() > 1 && rest_[0] != std::byte{'\n'} && rest_[0] != std::byte{'\r'}) rest_ = rest_.subspan(1);
  }

  std::span<const std::byte> rest_;
};

// Greys of more than 8 bits are scaled to 16 bits and keep the high byte, as in PNG. Colours are scaled to 0..255.
// Pillow computes in doubles and rounds half to even, as nearbyint() does.
class PnmScale {
 public:
  PnmScale(std::uint32_t maximum, bool grey) : maximum_(maximum), grey16_(grey && maximum > 255) {}
  std::uint8_t operator()(std::uint32_t value) const {
    if (maximum_ == 255) return static_cast<std::uint8_t>(value);
    const double part = static_cast<double>(std::min(value, maximum_)) / maximum_;
    if (grey16_) return static_cast<std::uint8_t>(static_cast<std::uint32_t>(std::nearbyint(part * 65535)) >> 8);
    return static_cast<std::uint8_t>(std::nearbyint(part * 255));
  }

 private:
  std::uint32_t maximum_;
  bool grey16_;
};

// `channels` samples per pixel, one after another -> RGB.
template <typename Next>
void FillPnm(Rgb8& out, int channels, const Next& next) {
  for (std::size_t i = 0; i < out.pixels.size(); i += 3) {
    out.pixels[i] = next();
    out.pixels[i + 1] = channels == 3 ? next() : out.pixels[i];
    out.pixels[i + 2] = channels == 3 ? next() : out.pixels[i];
  }
}

void RequireBytes(std::span<const std::byte> data, std::uint64_t bytes) {
  if (data.size() < bytes) RejectPnm(Reason::kTruncated, "the data ends early");
}

void FillBitmap(Rgb8& out, std::span<const std::byte> data) {
  const std::size_t stride = (std::size_t{out.width} + 7) / 8;
  RequireBytes(data, stride * out.height);
  for (std::size_t i = 0; i < out.pixels.size() / 3; ++i) {
    const std::size_t x = i % out.width;
    const auto byte = static_cast<unsigned>(data[i / out.width * stride + x / 8]);
    std::fill_n(&out.pixels[3 * i], 3, (byte >> (7 - x % 8) & 1U) != 0 ? 0 : 255);
  }
}

void FillRaw(Rgb8& out, int channels, std::uint32_t maximum, std::span<const std::byte> data) {
  const std::size_t wide = maximum > 255 ? 2 : 1;
  RequireBytes(data, out.pixels.size() / 3 * static_cast<std::size_t>(channels) * wide);
  const PnmScale scale(maximum, channels == 1);
  std::size_t at = 0;
  FillPnm(out, channels, [&] {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < wide; ++i) value = value << 8 | static_cast<std::uint32_t>(data[at++]);
    return scale(value);
  });
}

void FillPlain(Rgb8& out, int channels, std::uint32_t maximum, PnmText text) {
  const PnmScale scale(maximum, channels == 1);
  FillPnm(out, channels, [&] {
    const std::uint32_t value = text.Number();
    if (value > maximum) RejectPnm(Reason::kCorrupt, "a number above the maximum");
    return scale(value);
  });
}

}  // namespace

Rgb8 DecodePnm(std::span<const std::byte> file, const DecodeOptions& options) {
  // P1 to P3 are text, P4 to P6 are binary: bitmaps, greys and colours.
  const char kind = static_cast<char>(file[1]);
  PnmText text(file.subspan(2));
  const std::uint32_t width = text.Number(), height = text.Number();
  const bool bitmap = kind == '1' || kind == '4';
  const std::uint32_t maximum = bitmap ? 1 : text.Number();
  if (maximum == 0 || maximum > 65535) RejectPnm(Reason::kCorrupt, "a maximum that is not between 1 and 65,535");
  RequireRoom(width, height, 3, options);
  const int channels = kind == '3' || kind == '6' ? 3 : 1;
  Rgb8 out(width, height);
  if (kind == '1') {
    FillPnm(out, 1, [&] { return static_cast<std::uint8_t>(text.Bit() == 1 ? 0 : 255); });
  } else if (kind == '4') {
    FillBitmap(out, text.Rest());
  } else if (kind == '5' || kind == '6') {
    FillRaw(out, channels, maximum, text.Rest());
  } else {
    FillPlain(out, channels, maximum, text);
  }
  return out;
}

}  // namespace gan::preprocess
