#include "preprocess/decode/decode.h"

#include <png.h>
#include <webp/decode.h>

#include <cstdio>
#include <cstring>
#include <string_view>

#include <gif_lib.h>
#include <jpeglib.h>  // expects stdio before it

#include "preprocess/decode/orientation.h"

namespace gan::preprocess {

namespace {

bool StartsWith(std::span<const std::byte> file, std::string_view magic, std::size_t at = 0) {
  return file.size() >= at + magic.size() && std::memcmp(file.data() + at, magic.data(), magic.size()) == 0;
}

// Pillow turns a TIFF as it reads it, whether asked to or not.
bool IsTiff(std::span<const std::byte> file) {
  using namespace std::string_view_literals;
  return StartsWith(file, "II*\0"sv) || StartsWith(file, "MM\0*"sv);
}

bool OpenCvMayReadIt(std::span<const std::byte> file) {
  using namespace std::string_view_literals;
  for (const std::string_view magic : {"BM"sv, "P1"sv, "P2"sv, "P3"sv, "P4"sv, "P5"sv, "P6"sv}) {
    if (StartsWith(file, magic)) return true;
  }
  return IsTiff(file);
}

Rgb8 DecodeStored(std::span<const std::byte> file, const DecodeOptions& options) {
  using namespace std::string_view_literals;
  if (StartsWith(file, "\xFF\xD8\xFF"sv)) return DecodeJpeg(file, options);
  if (StartsWith(file, "\x89PNG\r\n\x1A\n"sv)) return DecodePng(file, options);
  if (StartsWith(file, "RIFF"sv) && StartsWith(file, "WEBP"sv, 8)) return DecodeWebp(file, options);
  if (StartsWith(file, "GIF8"sv)) return DecodeGif(file, options);
  if (OpenCvMayReadIt(file)) return DecodeWithOpenCv(file, options);
  throw Rejected(Reason::kNotAPicture, file.empty() ? "the file is empty" : "no known picture format");
}

}  // namespace

std::string_view Name(Reason reason) {
  switch (reason) {
    case Reason::kUnreadable:
      return "unreadable";
    case Reason::kNotAPicture:
      return "not_a_picture";
    case Reason::kUnsupported:
      return "unsupported";
    case Reason::kTruncated:
      return "truncated";
    case Reason::kCorrupt:
      return "corrupt";
    case Reason::kTooLarge:
      return "too_large";
    case Reason::kDuplicate:
      return "duplicate";
  }
  return "unknown";
}

Rgb8 Decode(std::span<const std::byte> file, const DecodeOptions& options) {
  Rgb8 stored = DecodeStored(file, options);
  const int orientation = options.apply_exif || IsTiff(file) ? FindOrientation(file) : 1;
  return orientation == 1 ? std::move(stored) : Turned(stored, orientation);
}

void RequireSize(std::uint64_t width, std::uint64_t height, const DecodeOptions& options) {
  if (width == 0 || height == 0) throw Rejected(Reason::kCorrupt, "no pixels");
  if (width <= options.max_pixels / height) return;
  throw Rejected(Reason::kTooLarge, std::to_string(width) + "x" + std::to_string(height) + " pixels, more than " +
                                        std::to_string(options.max_pixels) + " (--max-pixels)");
}

void RequireRoom(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_per_pixel,
                 const DecodeOptions& options) {
  RequireSize(width, height, options);
  if (options.lease != nullptr) options.lease->ReserveMore(width * height * bytes_per_pixel);
}

Rgb8 Composite(std::span<const std::uint8_t> rgba, std::uint32_t width, std::uint32_t height,
               const std::array<std::uint8_t, 3>& background) {
  constexpr std::uint32_t kOne = 128;  // 1 << PRECISION_BITS there
  Rgb8 out(width, height);
  for (std::size_t i = 0; i < std::size_t{width} * height; ++i) {
    const std::uint32_t alpha = rgba[4 * i + 3];
    const std::uint32_t front = alpha * kOne;
    const std::uint32_t back = 255 * kOne - front;
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint32_t sum = rgba[4 * i + c] * front + background[c] * back + (0x80 * kOne);
      out.pixels[3 * i + c] = static_cast<std::uint8_t>((((sum >> 8) + sum) >> 8) / kOne);
    }
  }
  return out;
}

std::string DecoderVersions() {
#define GAN_TEXT_(x) #x
#define GAN_TEXT(x) GAN_TEXT_(x)
  const int webp = WebPGetDecoderVersion();
  return "libjpeg-turbo " GAN_TEXT(LIBJPEG_TURBO_VERSION) ", libpng " PNG_LIBPNG_VER_STRING ", libwebp " +
         std::to_string(webp >> 16) + "." + std::to_string(webp >> 8 & 255) + "." + std::to_string(webp & 255) +
         ", giflib " GAN_TEXT(GIFLIB_MAJOR) "." GAN_TEXT(GIFLIB_MINOR) "." GAN_TEXT(GIFLIB_RELEASE);
}

}  // namespace gan::preprocess
