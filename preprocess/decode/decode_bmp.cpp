// BMP of every header from OS/2 1.x to V5, as Pillow 12.0.0 reads it (BmpImagePlugin.py): palettes, 16, 24 and 32 bits,
// bit fields, run lengths. It is our own, because no library in use gets all of them right (docs/third-party.md). The
// header gives the places of palette, masks and pixels. Run lengths become indices; other pixels are read from their
// rows. A palette or four masks convert both to colours.
#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/formats.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kOs2Header = 12;   // with 16-bit sizes and palette entries of three bytes
constexpr std::uint32_t kLongHeader = 40;  // the shortest header with the common first fields
enum Compression : std::uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

[[noreturn]] void RejectBmp(Reason reason, const std::string& what) { throw Rejected(reason, "BMP: " + what); }

// Reads little-endian numbers. A read beyond the end throws, because the file is truncated.
class BmpBytes {
 public:
  explicit BmpBytes(FileBytes file) : file_(file) {}
  std::uint32_t Number(std::size_t at, std::size_t count) const {
    Require(at, count);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= static_cast<std::uint32_t>(file_[at + i]) << (8 * i);
    return value;
  }
  std::uint8_t Byte(std::size_t at) const { return static_cast<std::uint8_t>(Number(at, 1)); }
  void Require(std::size_t at, std::size_t count) const {
    if (at > file_.size() || count > file_.size() - at) RejectBmp(Reason::kTruncated, "the data ends early");
  }
  std::size_t size() const { return file_.size(); }

 private:
  FileBytes file_;
};

struct BmpHeader {
  std::uint32_t size = 0;
  std::uint64_t width = 0, height = 0;
  bool from_top = false;
  std::uint32_t bits = 0, compression = kRaw;
  std::uint64_t colours = 0;
  std::size_t palette = 0, palette_step = 4;  // offset, and bytes per colour
  std::size_t pixels = 0;
  std::array<std::uint32_t, 4> masks{};  // red, green, blue, alpha
};

void ReadMasks(const BmpBytes& file, BmpHeader& h) {
  // The masks are at the same place for all headers: inside of longer ones, and behind a header of 40 bytes.
  const std::size_t at = kFileHeader + 40;
  for (std::size_t i = 0; i < 3; ++i) h.masks[i] = file.Number(at + 4 * i, 4);
  if (h.size >= 56) h.masks[3] = file.Number(at + 12, 4);
  if (h.size == 40) h.palette += 12;  // with this header the masks come before the palette
}

// The masks of 16 and 32 bits without masks of their own.
void SetPlainMasks(BmpHeader& h) {
  if (h.bits == 16) h.masks = {0x7C00, 0x3E0, 0x1F, 0};
  if (h.bits == 32) h.masks = {0xFF0000, 0xFF00, 0xFF, 0};
}

void ReadLongHeader(const BmpBytes& file, BmpHeader& h) {
  h.width = file.Number(18, 4);
  h.height = file.Number(22, 4);
  // A negative height means that the rows begin at the top. Like Pillow, this checks its highest byte only.
  h.from_top = h.height >> 24 == 0xFF;
  if (h.from_top) h.height = (std::uint64_t{1} << 32) - h.height;
  h.bits = file.Number(28, 2);
  h.compression = file.Number(30, 4);
  h.colours = file.Number(46, 4);
  file.Require(kFileHeader, h.size);
  if (h.compression == kBitFields) ReadMasks(file, h);
}

BmpHeader ReadBmpHeader(const BmpBytes& file) {
  BmpHeader h;
  h.size = file.Number(kFileHeader, 4);
  h.palette = kFileHeader + h.size;
  if (h.size == kOs2Header) {
    h.width = file.Number(18, 2);
    h.height = file.Number(20, 2);
    h.bits = file.Number(24, 2);
    h.palette_step = 3;
  } else if (h.size >= kLongHeader) {
    ReadLongHeader(file, h);
  } else {
    // OS/2 2.x allows a header to end early; the missing fields are 0. Pillow does not read such files either.
    RejectBmp(Reason::kUnsupported, "a header of " + std::to_string(h.size) + " bytes");
  }
  if (h.bits != 1 && h.bits != 4 && h.bits != 8 && h.bits != 16 && h.bits != 24 && h.bits != 32) {
    RejectBmp(Reason::kUnsupported, std::to_string(h.bits) + " bits per pixel");
  }
  if (h.colours == 0) h.colours = std::uint64_t{1} << h.bits;
  if (h.compression != kBitFields) SetPlainMasks(h);
  // Pillow reads four empty masks as BGRA.
  if (h.compression == kBitFields && h.bits == 32 && h.masks == std::array<std::uint32_t, 4>{}) {
    h.masks = {0xFF0000, 0xFF00, 0xFF, 0xFF000000};
  }
  h.pixels = file.Number(10, 4);
  // Some writers do not count the palette in the offset, or write no valid offset.
  if (h.pixels == kFileHeader + h.size && h.bits <= 8) h.pixels += 4 * h.colours;
  if (h.pixels == 0) h.pixels = h.palette + (h.bits <= 8 ? h.palette_step * h.colours : 0);
  return h;
}

void RequireKnown(const BmpHeader& h) {
  const bool packed = (h.compression == kRle8 && h.bits == 8) || (h.compression == kRle4 && h.bits == 4);
  const bool fields = h.compression == kBitFields && h.bits >= 16;
  if (h.compression == kRaw || packed || fields) return;
  RejectBmp(Reason::kUnsupported,
            "compression " + std::to_string(h.compression) + " with " + std::to_string(h.bits) + " bits per pixel");
}

using BmpPalette = std::array<std::array<std::uint8_t, 3>, 256>;

// Colours that the file does not define are grey, as in a new palette of Pillow.
BmpPalette ReadBmpPalette(const BmpBytes& file, const BmpHeader& h) {
  BmpPalette palette;
  for (std::size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<std::uint8_t>(i));
  for (std::size_t i = 0; i < std::min<std::uint64_t>(h.colours, 256); ++i) {
    const std::size_t at = h.palette + h.palette_step * i;
    if (at + 3 > file.size()) break;
    palette[i] = {file.Byte(at + 2), file.Byte(at + 1), file.Byte(at)};
  }
  return palette;
}

// Run lengths -> one index per pixel, from the bottom row on. Pixels that the file skips are 0.
class RunLengths {
 public:
  RunLengths(const BmpBytes& file, const BmpHeader& h) : file_(file), h_(h), at_(h.pixels) {}

  std::vector<std::uint8_t> Decode() {
    const std::size_t whole = h_.width * h_.height;
    out_.reserve(whole);
    // The last command may write beyond the picture, so the size is set afterwards.
    while (out_.size() < whole && !ended_) Command();
    out_.resize(whole);
    return std::move(out_);
  }

 private:
  std::size_t Column() const { return out_.size() % h_.width; }

  void Command() {
    const std::uint8_t count = file_.Byte(at_), value = file_.Byte(at_ + 1);
    at_ += 2;
    if (count > 0) return Run(count, value);
    if (value == 0) return EndLine();
    if (value == 1) {
      ended_ = true;
    } else if (value == 2) {
      Delta();
    } else {
      Literal(value);
    }
  }

  // A run ends with its row, and the command at the beginning of the next row is the end of the line. As in Pillow, a
  // literal may continue into the next row and a run may not.
  void Run(std::uint64_t count, std::uint8_t value) {
    count = std::min(count, x_ < h_.width ? h_.width - x_ : 0);
    for (std::uint64_t i = 0; i < count; ++i) {
      out_.push_back(h_.bits == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
    }
    x_ += count;
  }

  void EndLine() {
    if (Column() != 0) out_.resize(out_.size() + h_.width - Column());
    x_ = 0;
  }

  void Delta() {
    const std::uint64_t right = file_.Byte(at_), up = file_.Byte(at_ + 1);
    at_ += 2;
    out_.resize(std::min<std::uint64_t>(out_.size() + right + up * h_.width, h_.width * h_.height));
    x_ = Column();
  }

  void Literal(std::uint64_t count) {
    const std::size_t bytes = h_.bits == 8 ? count : (count + 1) / 2;
    file_.Require(at_, bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint8_t value = file_.Byte(at_ + (h_.bits == 8 ? i : i / 2));
      out_.push_back(h_.bits == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
    }
    x_ += count;
    at_ += bytes;
    at_ += at_ % 2;
  }

  const BmpBytes& file_;
  const BmpHeader& h_;
  std::size_t at_;
  std::uint64_t x_ = 0;
  bool ended_ = false;
  std::vector<std::uint8_t> out_;
};

// One colour of a pixel of 16 or 32 bits, scaled to 0..255 as in Pillow.
std::uint8_t Field(std::uint32_t pixel, std::uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const std::uint64_t value = (pixel & mask) >> shift, most = mask >> shift;
  return static_cast<std::uint8_t>(value * 255 / most);
}

class BmpRows {
 public:
  BmpRows(const BmpBytes& file, const BmpHeader& h) : file_(file), h_(h), stride_((h.width * h.bits + 31) / 32 * 4) {
    file.Require(h.pixels, 0);
    // Pillow needs whole rows, but not the padding of the last one.
    file.Require(h.pixels, stride_ * (h.height - 1) + (h.width * h.bits + 7) / 8);
  }

  std::uint32_t Pixel(std::uint64_t row, std::uint64_t x) const {
    const std::size_t at = h_.pixels + stride_ * row;
    if (h_.bits >= 8) return file_.Number(at + x * (h_.bits / 8), h_.bits / 8);
    const std::uint64_t bit = x * h_.bits;
    return file_.Byte(at + bit / 8) >> (8 - h_.bits - bit % 8) & ((1U << h_.bits) - 1);
  }

 private:
  const BmpBytes& file_;
  const BmpHeader& h_;
  std::size_t stride_;
};

Rgb8 ByPalette(const BmpHeader& h, const BmpPalette& palette, const auto& index_of) {
  Rgb8 out(static_cast<std::uint32_t>(h.width), static_cast<std::uint32_t>(h.height));
  auto at = out.pixels.begin();
  for (std::uint64_t y = 0; y < h.height; ++y) {
    const std::uint64_t row = h.from_top ? y : h.height - 1 - y;
    for (std::uint64_t x = 0; x < h.width; ++x) at = std::copy_n(palette[index_of(row, x)].begin(), 3, at);
  }
  return out;
}

Rgb8 ByMasks(const BmpHeader& h, const BmpRows& rows, const DecodeOptions& options) {
  const bool has_alpha = h.bits == 32 && h.masks[3] != 0;
  std::vector<std::uint8_t> rgba(std::size_t{4} * h.width * h.height);
  auto at = rgba.begin();
  for (std::uint64_t y = 0; y < h.height; ++y) {
    const std::uint64_t row = h.from_top ? y : h.height - 1 - y;
    for (std::uint64_t x = 0; x < h.width; ++x) {
      const std::uint32_t pixel = rows.Pixel(row, x);
      for (std::size_t c = 0; c < 3; ++c) *at++ = Field(pixel, h.masks[c]);
      *at++ = has_alpha ? Field(pixel, h.masks[3]) : 255;
    }
  }
  return Composite(rgba, static_cast<std::uint32_t>(h.width), static_cast<std::uint32_t>(h.height), options.background);
}

}  // namespace

Rgb8 DecodeBmp(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const BmpBytes file(bytes);
  BmpHeader h = ReadBmpHeader(file);
  RequireKnown(h);
  RequireRoom(h.width, h.height, 4 + 3, options);
  // 24 bits are read by masks as well, so that all colours without a palette take one path.
  if (h.bits == 24) h.masks = {0xFF0000, 0xFF00, 0xFF, 0};
  if (h.compression == kRle8 || h.compression == kRle4) {
    const std::vector<std::uint8_t> indices = RunLengths(file, h).Decode();
    return ByPalette(h, ReadBmpPalette(file, h), [&](auto row, auto x) { return indices[row * h.width + x]; });
  }
  const BmpRows rows(file, h);
  if (h.bits > 8) return ByMasks(h, rows, options);
  return ByPalette(h, ReadBmpPalette(file, h), [&](auto row, auto x) { return rows.Pixel(row, x); });
}

}  // namespace gan::preprocess
