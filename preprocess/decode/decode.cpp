#include "preprocess/decode/decode.h"

#include <algorithm>
#include <utility>

#include "preprocess/decode/formats.h"
#include "preprocess/decode/orientation.h"

namespace gan::preprocess {

// These names are public: they occur in quarantine.jsonl, in the metrics and in the notes of an unfinished folder.
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
    case Reason::kTooSmall:
      return "too_small";
    case Reason::kCropped:
      return "cropped";
    case Reason::kDuplicate:
      return "duplicate";
  }
  return "unknown";
}

const Format& RecogniseOrReject(std::span<const std::byte> file) {
  const Format* format = Recognise(file);
  if (format == nullptr) {
    throw Rejected(Reason::kNotAPicture, file.empty() ? "the file is empty" : "no known picture format");
  }
  if (format->decode == nullptr) throw Rejected(Reason::kUnsupported, std::string(format->name) + " is not read");
  return *format;
}

Rgb8 Decode(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeAs(RecogniseOrReject(file), file, options);
}

Rgb8 DecodeAs(const Format& format, std::span<const std::byte> file, const DecodeOptions& options) {
  Rgb8 stored = format.decode(file, options);
  const bool turns = format.orientation != nullptr && options.apply_exif;
  const int orientation = turns ? format.orientation(file) : 1;
  return orientation == 1 ? std::move(stored) : Turned(stored, orientation);
}

// The size comes from a header. A file of a few bytes can claim billions of pixels, so this is checked before anything
// is allocated.
void RequireSize(std::uint64_t width, std::uint64_t height, const DecodeOptions& options) {
  if (width == 0 || height == 0) throw Rejected(Reason::kCorrupt, "no pixels");
  if (std::min(width, height) < options.min_side) {
    throw Rejected(Reason::kTooSmall, std::to_string(width) + "x" + std::to_string(height) + " pixels, a side below " +
                                          std::to_string(options.min_side) + " (--min-side)");
  }
  if (std::min(width, height) * 100 < std::max(width, height) * options.min_kept) {
    throw Rejected(Reason::kCropped, std::to_string(width) + "x" + std::to_string(height) +
                                         " pixels, of which a square keeps less than " +
                                         std::to_string(options.min_kept) + " per cent (--crop)");
  }
  // Divided, because a product of numbers from a file may overflow.
  if (width <= options.max_pixels / height) return;
  throw Rejected(Reason::kTooLarge, std::to_string(width) + "x" + std::to_string(height) + " pixels, more than " +
                                        std::to_string(options.max_pixels) + " (--max-pixels)");
}

void RequireRoom(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_per_pixel,
                 const DecodeOptions& options) {
  // Checked first, so that a picture that will be rejected does not wait for memory.
  RequireSize(width, height, options);
  if (options.room != nullptr) options.room->ReserveMore(width * height * bytes_per_pixel);
}

Rgb8 Composite(std::span<const std::uint8_t> rgba, std::uint32_t width, std::uint32_t height,
               const std::array<std::uint8_t, 3>& background) {
  // The background is opaque, so Pillow's two coefficients are whole multiples of alpha, and no division by the
  // resulting alpha is needed. The shifts at the end divide by 255; the half was added for rounding.
  constexpr std::uint32_t kOne = 128;  // 1 << PRECISION_BITS in Pillow
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

}  // namespace gan::preprocess
