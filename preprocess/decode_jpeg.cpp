#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <string>

// These two expect stdio before them.
#include <jpeglib.h>

#include <jerror.h>

#include "preprocess/decode_jpeg.h"

namespace gan::preprocess {

namespace {

// libjpeg reports errors by calling back and must not return from there: longjmp to Read(), which owns nothing that
// needs a destructor. Objects with destructors live outside, in Picture.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
  bool ended_early;
};

struct Picture {
  Rgb8 image;
  std::vector<std::uint8_t> row;  // CMYK only
};

ErrorManager& ManagerOf(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

void Leave(j_common_ptr info) {
  ErrorManager& manager = ManagerOf(info);
  manager.base.format_message(info, manager.message);
  std::longjmp(manager.back, 1);
}

// Warnings are tolerated as Pillow does, except the one that the data ended before the picture did.
void NoteWarning(j_common_ptr info, int level) {
  if (level < 0) ++info->err->num_warnings;
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) ManagerOf(info).ended_early = true;
}

std::uint8_t MultiplyDivide255(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t t = a * b + 128;
  return static_cast<std::uint8_t>(((t >> 8) + t) >> 8);
}

// Adobe's CMYK is stored inverted; then Pillow's cmyk2rgb (src/libImaging/Convert.c).
void CmykToRgb(const std::uint8_t* in, std::uint8_t* out, std::uint32_t width) {
  for (std::uint32_t x = 0; x < width; ++x, in += 4, out += 3) {
    const std::uint32_t light = in[3];  // 255 - k
    for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(light - MultiplyDivide255(255U - in[c], light));
  }
}

// Returns false after an error. Only trivially destructible locals: longjmp skips destructors.
bool ReadHeader(jpeg_decompress_struct& info, ErrorManager& manager, std::span<const std::byte> file) {
  if (setjmp(manager.back) != 0) return false;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  return true;
}

bool ReadPixels(jpeg_decompress_struct& info, ErrorManager& manager, Picture& picture) {
  if (setjmp(manager.back) != 0) return false;
  const bool cmyk = info.num_components == 4;
  info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    std::uint8_t* out = &picture.image.pixels[std::size_t{3} * info.output_scanline * info.output_width];
    JSAMPROW row = cmyk ? picture.row.data() : out;
    jpeg_read_scanlines(&info, &row, 1);
    if (cmyk) CmykToRgb(picture.row.data(), out, info.output_width);
  }
  jpeg_finish_decompress(&info);
  return true;
}

// Rows outside the part go through the entropy decoder only. Margins of 16 pixels keep what upsampling does at an edge
// away from the pixels that are wanted.
bool ReadPart(jpeg_decompress_struct& info, ErrorManager& manager, const Region& wanted, JpegPart& part) {
  constexpr JDIMENSION kMargin = 16;
  if (setjmp(manager.back) != 0) return false;
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  JDIMENSION left = wanted.x > kMargin ? wanted.x - kMargin : 0;
  JDIMENSION width = std::min(wanted.x + wanted.width + kMargin, info.output_width) - left;
  jpeg_crop_scanline(&info, &left, &width);  // rounds outwards
  const JDIMENSION top = wanted.y > kMargin ? wanted.y - kMargin : 0;
  const JDIMENSION bottom = std::min(wanted.y + wanted.height + kMargin, info.output_height);
  part.where = {left, top, width, bottom - top};
  part.image = Rgb8(width, bottom - top);
  if (top > 0) jpeg_skip_scanlines(&info, top);
  while (info.output_scanline < bottom) {
    JSAMPROW row = &part.image.pixels[std::size_t{3} * width * (info.output_scanline - top)];
    jpeg_read_scanlines(&info, &row, 1);
  }
  // Skipping to the very end would leave the rest of the file unread: the last row is skipped to, and read over the
  // margin.
  if (bottom + 1 < info.output_height) jpeg_skip_scanlines(&info, info.output_height - bottom - 1);
  if (bottom < info.output_height) {
    JSAMPROW row = &part.image.pixels[std::size_t{3} * width * (bottom - top - 1)];
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

// Owns the decoder.
struct Decompressor {
  jpeg_decompress_struct info = {};
  ErrorManager manager = {};
  Decompressor() {
    info.err = jpeg_std_error(&manager.base);
    manager.base.error_exit = Leave;
    manager.base.emit_message = NoteWarning;
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
};

[[noreturn]] void Reject(const ErrorManager& manager) {
  if (manager.ended_early) throw Rejected(Reason::kTruncated, "the JPEG data ends early");
  throw Rejected(Reason::kCorrupt, std::string("JPEG: ") + manager.message);
}

void Open(Decompressor& decoder, std::span<const std::byte> file, const DecodeOptions& options) {
  if (!ReadHeader(decoder.info, decoder.manager, file)) Reject(decoder.manager);
  RequireSize(decoder.info.image_width, decoder.info.image_height, options);
}

// scale: 1, 2, 4 or 8.
Rgb8 DecodeWhole(Decompressor& decoder, unsigned scale) {
  decoder.info.scale_num = 1;
  decoder.info.scale_denom = scale;
  const auto scaled = [&](JDIMENSION side) { return (side + scale - 1) / scale; };
  Picture picture{Rgb8(scaled(decoder.info.image_width), scaled(decoder.info.image_height)), {}};
  picture.row.resize(std::size_t{4} * picture.image.width);
  if (!ReadPixels(decoder.info, decoder.manager, picture) || decoder.manager.ended_early) Reject(decoder.manager);
  return std::move(picture.image);
}

// Where the parts of libjpeg-turbo that skip are known to give the same pixels, and when it pays.
bool MayReadPart(const jpeg_decompress_struct& info, const Region& wanted) {
  const bool plain = info.progressive_mode == FALSE && info.arith_code == FALSE && info.num_components == 3;
  const std::uint64_t part = std::uint64_t{wanted.width + 32} * (wanted.height + 32);
  return plain && part < std::uint64_t{info.image_width} * info.image_height;
}

}  // namespace

Rgb8 DecodeJpeg(std::span<const std::byte> file, const DecodeOptions& options) {
  Decompressor decoder;
  Open(decoder, file, options);
  return DecodeWhole(decoder, 1);
}

Rgb8 DecodeJpegScaled(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t least) {
  Decompressor decoder;
  Open(decoder, file, options);
  const std::uint32_t shorter = std::min(decoder.info.image_width, decoder.info.image_height);
  unsigned scale = 8;
  while (scale > 1 && shorter / scale < least) scale /= 2;
  return DecodeWhole(decoder, scale);
}

JpegPart DecodeJpegPart(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t size,
                        Filter filter) {
  {
    Decompressor decoder;
    Open(decoder, file, options);
    JpegPart part;
    part.width = decoder.info.image_width;
    part.height = decoder.info.image_height;
    const Region wanted = InputOfCrop(part.width, part.height, size, filter);
    if (!MayReadPart(decoder.info, wanted)) {
      part.image = DecodeWhole(decoder, 1);
      part.where = {0, 0, part.width, part.height};
      return part;
    }
    if (ReadPart(decoder.info, decoder.manager, wanted, part) && decoder.manager.base.num_warnings == 0) return part;
  }
  JpegPart whole;
  whole.image = DecodeJpeg(file, options);
  whole.width = whole.image.width;
  whole.height = whole.image.height;
  whole.where = {0, 0, whole.width, whole.height};
  return whole;
}

}  // namespace gan::preprocess
