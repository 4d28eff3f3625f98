#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <string>

// These two headers need stdio before them.
#include <jpeglib.h>

#include <jerror.h>

#include "preprocess/decode/decode_jpeg.h"

#include "preprocess/decode/jpeg_averages.h"

namespace gan::preprocess {

namespace {

// libjpeg reports an error by a callback that must not return. It jumps (longjmp) to the function that called libjpeg,
// which therefore must not own objects with destructors. Those are outside, in Pass.
struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
  bool ended_early;
};

constexpr std::uint32_t kRowsAtATime = 16;

// One pass of decoding: the wanted columns and rows, and memory for a few rows.
class Pass {
 public:
  Region where;
  std::vector<std::uint8_t> cmyk;  // one row, when the JPEG is CMYK

  void MakeRoom() {
    row_bytes_ = (std::size_t{3} * where.width + kLine - 1) / kLine * kLine;
    room_.resize(kLine + kOdd + row_bytes_ * kRowsAtATime + kReadBeyond);
    const auto beyond = reinterpret_cast<std::uintptr_t>(room_.data()) % kLine;
    first_ = room_.data() + (kLine - beyond) % kLine + kOdd;
  }
  std::size_t row_bytes() const { return row_bytes_; }
  std::uint8_t* Row(std::uint32_t i) { return first_ + row_bytes_ * i; }

 private:
  // libjpeg-turbo writes rows that begin at a multiple of 16 or 32 bytes past the caches. The resize would have to
  // fetch them from memory, at three times the cost, so no row begins at such an address.
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kOdd = 8;

  std::size_t row_bytes_ = 0;  // distance between rows
  std::vector<std::uint8_t> room_;
  std::uint8_t* first_ = nullptr;
};

ErrorManager& ManagerOf(j_common_ptr info) { return *reinterpret_cast<ErrorManager*>(info->err); }

void JumpOnJpegError(j_common_ptr info) {
  ErrorManager& manager = ManagerOf(info);
  manager.base.format_message(info, manager.message);
  std::longjmp(manager.back, 1);
}

// Warnings are tolerated as Pillow does, except the one that the data ends before the picture.
void NoteWarning(j_common_ptr info, int level) {
  if (level < 0) ++info->err->num_warnings;
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) ManagerOf(info).ended_early = true;
}

// A file of a megabyte can hold ten thousand scans of a large picture, and each costs as much as decoding it.
constexpr int kMostScans = 500;

void CountScans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  ErrorManager& manager = ManagerOf(info);
  std::snprintf(manager.message, sizeof manager.message, "more than %d scans", kMostScans);
  std::longjmp(manager.back, 1);
}

std::uint8_t MultiplyDivide255(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t t = a * b + 128;
  return static_cast<std::uint8_t>(((t >> 8) + t) >> 8);
}

// Adobe's CMYK is stored inverted. After inversion this is Pillow's cmyk2rgb (src/libImaging/Convert.c).
void CmykToRgb(const std::uint8_t* in, std::uint8_t* out, std::uint32_t width) {
  for (std::uint32_t x = 0; x < width; ++x, in += 4, out += 3) {
    const std::uint32_t light = in[3];  // 255 - k
    for (int c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(light - MultiplyDivide255(255U - in[c], light));
  }
}

// Returns false after an error. Only trivially destructible locals: longjmp skips destructors.
bool ReadHeader(jpeg_decompress_struct& info, ErrorManager& manager, jpeg_progress_mgr& progress,
                std::span<const std::byte> file) {
  if (setjmp(manager.back) != 0) return false;
  jpeg_create_decompress(&info);  // clears all but the error manager
  info.progress = &progress;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  return true;
}

bool IsCmyk(const jpeg_decompress_struct& info) { return info.num_components == 4; }

bool Start(jpeg_decompress_struct& info, ErrorManager& manager) {
  if (setjmp(manager.back) != 0) return false;
  info.out_color_space = IsCmyk(info) ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&info);
  return true;
}

bool CropColumns(jpeg_decompress_struct& info, ErrorManager& manager, JDIMENSION& left, JDIMENSION& width) {
  if (setjmp(manager.back) != 0) return false;
  jpeg_crop_scanline(&info, &left, &width);  // rounds outwards
  return true;
}

// Reads the next `count` rows. libjpeg-turbo decodes two or more at once when chroma is subsampled.
void ReadInto(jpeg_decompress_struct& info, Pass& pass, std::uint32_t count) {
  std::array<JSAMPROW, kRowsAtATime> rows;
  for (std::uint32_t i = 0; i < count; ++i) rows[i] = IsCmyk(info) ? pass.cmyk.data() : pass.Row(i);
  for (std::uint32_t i = 0; i < count;) {
    const std::uint32_t read = jpeg_read_scanlines(&info, &rows[i], IsCmyk(info) ? 1 : count - i);
    if (IsCmyk(info)) CmykToRgb(pass.cmyk.data(), pass.Row(i), info.output_width);
    i += read;
  }
}

// Rows outside the part pass only through the entropy decoder.
bool ReadRows(jpeg_decompress_struct& info, ErrorManager& manager, Pass& pass, RowSink& sink) {
  if (setjmp(manager.back) != 0) return false;
  const JDIMENSION end = pass.where.y + pass.where.height;
  if (pass.where.y > 0) jpeg_skip_scanlines(&info, pass.where.y);
  while (info.output_scanline < end) {
    const std::uint32_t count = std::min(kRowsAtATime, end - info.output_scanline);
    ReadInto(info, pass, count);
    sink.Take(pass.Row(0), pass.row_bytes(), count);
  }
  // Skipping to the very end would leave the rest of the file unread, so the last row is read instead of skipped.
  if (end + 1 < info.output_height) jpeg_skip_scanlines(&info, info.output_height - end - 1);
  if (end < info.output_height) ReadInto(info, pass, 1);
  jpeg_finish_decompress(&info);
  return true;
}

// Owns the decoder.
struct Decompressor {
  jpeg_decompress_struct info = {};
  ErrorManager manager = {};
  jpeg_progress_mgr progress = {};
  Decompressor() {
    info.err = jpeg_std_error(&manager.base);
    manager.base.error_exit = JumpOnJpegError;
    manager.base.emit_message = NoteWarning;
    progress.progress_monitor = CountScans;
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
};

// Valid JPEGs that libjpeg-turbo does not read: 12 bits, lossless, hierarchical, JPEG-LS, fractions of samples, and
// those whose height follows the picture (DNL).
bool IsUnsupported(const jpeg_decompress_struct& info, int message) {
  constexpr std::array kNotRead = {JERR_BAD_PRECISION,   JERR_SOF_UNSUPPORTED,   JERR_FRACT_SAMPLE_NOTIMPL,
                                   JERR_CCIR601_NOTIMPL, JERR_UNKNOWN_MARKER,    JERR_NOT_COMPILED,
                                   JERR_ARITH_NOTIMPL,   JERR_CONVERSION_NOTIMPL};
  const bool told_later = message == JERR_EMPTY_IMAGE && info.image_height == 0 && info.image_width > 0;
  return told_later || std::find(kNotRead.begin(), kNotRead.end(), message) != kNotRead.end();
}

[[noreturn]] void Reject(const jpeg_decompress_struct& info, const ErrorManager& manager) {
  if (manager.ended_early) throw Rejected(Reason::kTruncated, "the JPEG data ends early");
  if (IsUnsupported(info, manager.base.msg_code)) {
    throw Rejected(Reason::kUnsupported, std::string("JPEG: ") + manager.message);
  }
  throw Rejected(Reason::kCorrupt, std::string("JPEG: ") + manager.message);
}

void Open(Decompressor& decoder, std::span<const std::byte> file, const DecodeOptions& options) {
  if (!ReadHeader(decoder.info, decoder.manager, decoder.progress, file)) Reject(decoder.info, decoder.manager);
  RequireSize(decoder.info.image_width, decoder.info.image_height, options);
}

// For a picture in several scans, libjpeg keeps all coefficients: two bytes for each sample.
std::uint64_t CoefficientBytes(jpeg_decompress_struct& info) {
  if (jpeg_has_multiple_scans(&info) == FALSE) return 0;
  std::uint64_t samples = 0;
  for (int i = 0; i < info.num_components; ++i) {
    const jpeg_component_info& component = info.comp_info[i];
    samples += std::uint64_t{component.width_in_blocks} * component.height_in_blocks * DCTSIZE2;
  }
  return 2 * samples;
}

void StartAndReserve(Decompressor& decoder, Pass& pass) {
  if (!Start(decoder.info, decoder.manager)) Reject(decoder.info, decoder.manager);
  pass.where = {0, 0, decoder.info.output_width, decoder.info.output_height};
  if (IsCmyk(decoder.info)) pass.cmyk.resize(std::size_t{4} * pass.where.width);
}

// Where the skipping functions of libjpeg-turbo are known to give the same pixels. 2.1.5 gives others when a picture
// that is sampled 4x2 is scaled.
bool MayReadPart(const jpeg_decompress_struct& info) {
  return info.progressive_mode == FALSE && info.arith_code == FALSE && info.num_components == 3 &&
         info.max_h_samp_factor <= 2 && info.max_v_samp_factor <= 2;
}

// Upsampling mixes neighbours and treats the edge of the decoded part as the edge of the picture. Two more pixels on
// each side keep this effect out of the wanted ones.
void Narrow(Decompressor& decoder, const Region& wanted, Pass& pass) {
  constexpr JDIMENSION kMargin = 2;
  const auto before = [](JDIMENSION at) { return at > kMargin ? at - kMargin : 0; };
  JDIMENSION left = before(wanted.x);
  JDIMENSION width = std::min(wanted.x + wanted.width + kMargin, decoder.info.output_width) - left;
  if (!CropColumns(decoder.info, decoder.manager, left, width)) Reject(decoder.info, decoder.manager);
  const JDIMENSION top = before(wanted.y);
  const JDIMENSION bottom = std::min(wanted.y + wanted.height + kMargin, decoder.info.output_height);
  pass.where = {left, top, width, bottom - top};
}

// False when the file is unusual and `part` was asked for: the whole picture must then be decoded.
bool DecodeRows(std::span<const std::byte> file, const DecodeOptions& options, const JpegView& view, bool part,
                RowSink& sink) {
  Decompressor decoder;
  Open(decoder, file, options);
  decoder.info.scale_num = 1;
  decoder.info.scale_denom = view.scale;
  if (options.room != nullptr) options.room->ReserveMore(CoefficientBytes(decoder.info));
  Pass pass;
  StartAndReserve(decoder, pass);
  const std::uint32_t width = pass.where.width, height = pass.where.height;
  part = part && MayReadPart(decoder.info);
  if (part) Narrow(decoder, InputOfCrop(width, height, view.size, view.filter, view.crop), pass);
  pass.MakeRoom();
  sink.Begin(pass.where, width, height);
  const bool done = ReadRows(decoder.info, decoder.manager, pass, sink);
  if (part) return done && decoder.manager.base.num_warnings == 0;
  if (!done || decoder.manager.ended_early) Reject(decoder.info, decoder.manager);
  return true;
}

// Stores the picture.
class Keep : public RowSink {
 public:
  explicit Keep(const DecodeOptions& options) : options_(options) {}
  void Begin(const Region&, std::uint32_t width, std::uint32_t height) override {
    RequireRoom(width, height, 3 + 3, options_);  // it may be turned, which needs a second copy
    image_ = Rgb8(width, height);
    at_ = image_.pixels.begin();
  }
  void Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count) override {
    for (std::uint32_t y = 0; y < count; ++y) {
      at_ = std::copy_n(rows + row_bytes * y, std::size_t{3} * image_.width, at_);
    }
  }
  Rgb8 Image() { return std::move(image_); }

 private:
  const DecodeOptions& options_;
  Rgb8 image_;
  std::vector<std::uint8_t>::iterator at_;
};

}  // namespace

Rgb8 DecodeJpeg(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeJpegScaled(file, options, 1);
}

Rgb8 DecodeJpegScaled(std::span<const std::byte> file, const DecodeOptions& options, unsigned scale) {
  Keep whole(options);
  DecodeRows(file, options, {.scale = scale}, /*part=*/false, whole);
  return whole.Image();
}

unsigned JpegScale(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t least) {
  Decompressor decoder;
  Open(decoder, file, options);
  const std::uint32_t shorter = std::min(decoder.info.image_width, decoder.info.image_height);
  unsigned scale = 8;
  while (scale > 1 && shorter / scale < least) scale /= 2;
  return scale;
}

void DecodeJpegRows(std::span<const std::byte> file, const DecodeOptions& options, const JpegView& view,
                    RowSink& sink) {
  if (view.scale == 8) {
    const auto averages = BaselineOfAverages(file, options);
    if (averages && DecodeRows(*averages, options, view, /*part=*/true, sink)) return;
  }
  if (!DecodeRows(file, options, view, /*part=*/true, sink)) DecodeRows(file, options, view, /*part=*/false, sink);
}

}  // namespace gan::preprocess
