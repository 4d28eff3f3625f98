#include <csetjmp>
#include <cstdio>
#include <string>

// These two expect stdio before them.
#include <jpeglib.h>

#include <jerror.h>

#include "preprocess/decode.h"

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

}  // namespace

Rgb8 DecodeJpeg(std::span<const std::byte> file, const DecodeOptions& options) {
  Decompressor decoder;
  if (!ReadHeader(decoder.info, decoder.manager, file)) Reject(decoder.manager);
  RequireSize(decoder.info.image_width, decoder.info.image_height, options);
  Picture picture{Rgb8(decoder.info.image_width, decoder.info.image_height), {}};
  picture.row.resize(std::size_t{4} * decoder.info.image_width);
  if (!ReadPixels(decoder.info, decoder.manager, picture) || decoder.manager.ended_early) Reject(decoder.manager);
  return std::move(picture.image);
}

}  // namespace gan::preprocess
