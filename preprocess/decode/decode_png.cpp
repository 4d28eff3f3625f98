// libpng reports an error by a jump to the last setjmp(). So every group of calls has its own function, and objects
// with destructors are in the callers of these functions.
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

namespace {

struct PngSource {
  std::span<const std::byte> rest;
  char message[128];
  bool ended_early;
};

void ReadPngBytes(png_structp png, png_bytep out, png_size_t count) {
  auto& source = *static_cast<PngSource*>(png_get_io_ptr(png));
  if (source.rest.size() < count) {
    source.ended_early = true;
    png_error(png, "the data ends early");
  }
  std::memcpy(out, source.rest.data(), count);
  source.rest = source.rest.subspan(count);
}

void JumpOnPngError(png_structp png, png_const_charp message) {
  auto& source = *static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source.message, message, sizeof source.message - 1);
  png_longjmp(png, 1);
}

void IgnorePngWarning(png_structp, png_const_charp) {}

// Owns the decoder.
struct PngDecoder {
  PngSource source = {};
  png_structp png = nullptr;
  png_infop info = nullptr;
  explicit PngDecoder(std::span<const std::byte> file) {
    source.rest = file;
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, JumpOnPngError, IgnorePngWarning);
    if (png == nullptr) throw std::bad_alloc();
    info = png_create_info_struct(png);
    png_set_read_fn(png, &source, ReadPngBytes);
    // libpng would refuse a side of more than a million pixels.
    png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);  // RequireRoom() is the limit
    // A wrong checksum counts as damage, in metadata as well (as in Pillow). Odd metadata with a right checksum does
    // not.
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  }
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
};

// Functions that call setjmp must have only trivially destructible locals.
bool ReadInfo(PngDecoder& d) {
  if (setjmp(png_jmpbuf(d.png)) != 0) return false;
  png_read_info(d.png, d.info);
  return true;
}

// Everything becomes 8-bit RGBA with Pillow's conversions: 16 bits keep their high byte; greys of fewer bits are scaled
// to 0..255; palette and tRNS become colour and alpha, except for 16-bit grey, whose tRNS is ignored.
bool SetTransforms(PngDecoder& d) {
  if (setjmp(png_jmpbuf(d.png)) != 0) return false;
  const int depth = png_get_bit_depth(d.png, d.info);
  const int colour = png_get_color_type(d.png, d.info);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(d.png);
  if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(d.png);
  const bool grey16 = colour == PNG_COLOR_TYPE_GRAY && depth == 16;
  if (png_get_valid(d.png, d.info, PNG_INFO_tRNS) != 0 && !grey16) png_set_tRNS_to_alpha(d.png);
  if (depth == 16) png_set_strip_16(d.png);
  if ((colour & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(d.png);
  png_set_add_alpha(d.png, 255, PNG_FILLER_AFTER);
  png_set_interlace_handling(d.png);
  png_read_update_info(d.png, d.info);
  return true;
}

bool ReadPixels(PngDecoder& d, std::vector<png_bytep>& rows) {
  if (setjmp(png_jmpbuf(d.png)) != 0) return false;
  png_read_image(d.png, rows.data());
  return true;
}

// The chunks behind the pixels must be there, whatever they contain.
bool ReadEnd(PngDecoder& d) {
  if (setjmp(png_jmpbuf(d.png)) != 0) return !d.source.ended_early;
  // as Pillow, which ignores checksums behind the pixels
  png_set_crc_action(d.png, PNG_CRC_ERROR_QUIT, PNG_CRC_QUIET_USE);
  png_read_end(d.png, nullptr);
  return true;
}

[[noreturn]] void Reject(const PngDecoder& d) {
  throw Rejected(d.source.ended_early ? Reason::kTruncated : Reason::kCorrupt, std::string("PNG: ") + d.source.message);
}

}  // namespace

Rgb8 DecodePng(std::span<const std::byte> file, const DecodeOptions& options) {
  PngDecoder decoder(file);
  if (!ReadInfo(decoder)) Reject(decoder);
  const std::uint32_t width = png_get_image_width(decoder.png, decoder.info);
  const std::uint32_t height = png_get_image_height(decoder.png, decoder.info);
  // The RGBA pixels and the RGB pixels made from them exist at the same time.
  RequireRoom(width, height, 4 + 3, options);
  if (!SetTransforms(decoder)) Reject(decoder);
  std::vector<std::uint8_t> rgba(std::size_t{4} * width * height);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = &rgba[y * 4 * width];
  if (!ReadPixels(decoder, rows) || !ReadEnd(decoder)) Reject(decoder);
  return Composite(rgba, width, height, options.background);
}

}  // namespace gan::preprocess
