// TIFF by libtiff, with the conversions of Pillow 12.0.0 (TiffImagePlugin.py): the first page, in its stored
// orientation. A layout is read from the tags first, and decides all further steps. Layouts that cannot be converted
// are refused before any pixel is read. Those with subsampled components are left to libtiff (DecodeRgba). All others
// go block by block through Unpacker, which converts each sample to one byte, and Painter, which converts these to
// colours.
#include <tiffio.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "preprocess/decode/decoder_plugin.h"
#include "preprocess/decode/tiff_samples.h"
#include "preprocess/decode/tiff_source.h"

namespace {

using gan::preprocess::Alpha, gan::preprocess::Damaged, gan::preprocess::Failure, gan::preprocess::kMostAllocation,
    gan::preprocess::Layout, gan::preprocess::Open, gan::preprocess::Painter, gan::preprocess::Source,
    gan::preprocess::Tiff, gan::preprocess::Unpacker, gan::preprocess::Unsupported;

template <typename T>
T Tag(TIFF* tiff, std::uint32_t tag, T otherwise) {
  T value{};
  return TIFFGetFieldDefaulted(tiff, tag, &value) == 1 ? value : otherwise;
}

int ColoursOf(const Layout& l) {
  switch (l.photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      return 1;
    case PHOTOMETRIC_RGB:
      return 3;
    case PHOTOMETRIC_YCBCR:
      return l.samples == 1 ? 1 : 3;
    case PHOTOMETRIC_SEPARATED:
      return 4;
    default:
      Unsupported("colours of kind " + std::to_string(l.photometric));
  }
}

// An RGB picture of four samples without a tag for the fourth has alpha, as in Pillow and other programs.
Alpha AlphaOf(TIFF* tiff, const Layout& l) {
  if (l.samples <= l.colours || l.photometric == PHOTOMETRIC_SEPARATED) return Alpha::kNone;
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 || count == 0) {
    return l.photometric == PHOTOMETRIC_RGB ? Alpha::kStraight : Alpha::kNone;
  }
  if (kinds[0] == EXTRASAMPLE_ASSOCALPHA) return Alpha::kMultiplied;
  return kinds[0] == EXTRASAMPLE_UNSPECIFIED ? Alpha::kNone : Alpha::kStraight;
}

void RequireKnown(const Layout& l) {
  if (l.samples < l.colours) Unsupported("too few samples per pixel");
  const bool integer = l.format == SAMPLEFORMAT_UINT || l.format == SAMPLEFORMAT_INT || l.format == SAMPLEFORMAT_VOID;
  const bool plain = integer && (l.bits == 8 || l.bits == 16);
  const bool grey = l.colours == 1 && l.photometric != PHOTOMETRIC_PALETTE && l.samples == 1;
  const bool few = integer && l.samples == 1 && (l.bits == 1 || l.bits == 2 || l.bits == 4);
  const bool wide =
      grey && ((integer && (l.bits == 12 || l.bits == 32)) || (l.format == SAMPLEFORMAT_IEEEFP && l.bits == 32));
  const bool palette16 = l.photometric == PHOTOMETRIC_PALETTE && l.bits > 8;
  if ((!plain && !few && !wide) || palette16) {
    Unsupported(std::to_string(l.samples) + " samples of " + std::to_string(l.bits) + " bits");
  }
}

Layout LayoutOf(TIFF* tiff) {
  Layout l;
  l.width = Tag<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  l.height = Tag<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  l.bits = Tag<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  l.samples = Tag<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  l.photometric = Tag<std::uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, 0);
  l.planar = Tag<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  l.format = Tag<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  l.compression = Tag<std::uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  // Checked before any pixel, because reading would only report a failure.
  if (TIFFIsCODECConfigured(l.compression) == 0) {
    const TIFFCodec* codec = TIFFFindCODEC(l.compression);
    Unsupported("compression " + std::to_string(l.compression) +
                (l.compression == 34712   ? " (JPEG 2000)"
                 : l.compression == 50002 ? " (JPEG XL)"
                 : l.compression == 34933 ? " (PNG)"
                 : codec != nullptr       ? std::string(" (") + codec->name + ")"
                                          : ""));
  }
  l.colours = ColoursOf(l);
  l.alpha = AlphaOf(tiff, l);
  if (l.photometric == PHOTOMETRIC_PALETTE &&
      TIFFGetField(tiff, TIFFTAG_COLORMAP, &l.map[0], &l.map[1], &l.map[2]) != 1) {
    throw Failure{kGanCorrupt, "TIFF: a palette picture without a palette"};
  }
  return l;
}

// Subsampled components need libtiff's own conversion.
bool NeedsRgba(const Layout& l) {
  if (l.compression == COMPRESSION_OJPEG) return true;
  return l.photometric == PHOTOMETRIC_YCBCR && l.samples == 3 &&
         !(l.compression == COMPRESSION_JPEG && l.planar == PLANARCONFIG_CONTIG);
}

// Strips and tiles are both read as rectangles of the picture. One block of each plane is in memory at a time.
class Blocks {
 public:
  Blocks(TIFF* tiff, const Layout& l, const Source& source)
      : tiff_(tiff), l_(l), source_(source), tiled_(TIFFIsTiled(tiff) != 0) {
    width_ = tiled_ ? Tag<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0) : l.width;
    height_ = tiled_ ? Tag<std::uint32_t>(tiff, TIFFTAG_TILELENGTH, 0)
                     : Tag<std::uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP, l.height);
    if (width_ == 0 || height_ == 0) Damaged(source_);
    height_ = tiled_ ? height_ : std::min(height_, l.height);
    bytes_ = static_cast<std::size_t>(tiled_ ? TIFFTileSize(tiff) : TIFFStripSize(tiff));
    row_bytes_ = static_cast<std::size_t>(tiled_ ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff));
    if (bytes_ == 0 || row_bytes_ == 0 || bytes_ > kMostAllocation) Damaged(source_);
  }

  void Paint(std::uint8_t* out) {
    for (std::uint64_t y = 0; y < l_.height; y += height_) {
      for (std::uint64_t x = 0; x < l_.width; x += width_)
        PaintBlock(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), out);
    }
  }

 private:
  bool separate() const { return l_.planar == PLANARCONFIG_SEPARATE && l_.samples > 1; }

  void Load(std::uint32_t x, std::uint32_t y, std::uint16_t plane, std::vector<std::uint8_t>& block) {
    block.assign(bytes_, 0);
    const auto size = static_cast<tmsize_t>(bytes_);
    const tmsize_t n = tiled_ ? TIFFReadEncodedTile(tiff_, TIFFComputeTile(tiff_, x, y, 0, plane), block.data(), size)
                              : TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, y, plane), block.data(), size);
    // Some codecs report damage and continue.
    if (n < 0 || !source_.complaint.empty()) Damaged(source_);
    // The rows inside of the picture must be there. The padding of the last strip or tile may be missing.
    const std::uint64_t rows = std::min<std::uint64_t>(height_, l_.height - y);
    if (static_cast<std::uint64_t>(n) < rows * row_bytes_) throw Failure{kGanTruncated, "TIFF: the data ends early"};
  }

  void PaintBlock(std::uint32_t x0, std::uint32_t y0, std::uint8_t* out) {
    const std::uint16_t planes = separate() ? l_.samples : 1;
    blocks_.resize(planes);
    for (std::uint16_t plane = 0; plane < planes; ++plane) Load(x0, y0, plane, blocks_[plane]);
    const std::uint32_t rows = std::min(height_, l_.height - y0), columns = std::min(width_, l_.width - x0);
    const int channels = painter_.channels();
    for (std::uint32_t y = 0; y < rows; ++y) {
      std::uint8_t* to = out + (std::size_t{y0 + y} * l_.width + x0) * static_cast<std::size_t>(channels);
      UnpackRow(y, columns);
      for (std::uint32_t x = 0; x < columns; ++x, to += channels)
        painter_.Pixel(&samples_[std::size_t{x} * l_.samples], to);
    }
  }

  void UnpackRow(std::uint32_t y, std::uint32_t columns) {
    samples_.resize(std::size_t{columns} * l_.samples);
    if (!separate()) return unpacker_.Row(&blocks_[0][row_bytes_ * y], samples_.size(), samples_.data());
    plane_.resize(columns);
    for (std::size_t s = 0; s < l_.samples; ++s) {
      unpacker_.Row(&blocks_[s][row_bytes_ * y], columns, plane_.data());
      for (std::size_t x = 0; x < columns; ++x) samples_[x * l_.samples + s] = plane_[x];
    }
  }

  TIFF* tiff_;
  const Layout& l_;
  const Source& source_;
  const bool tiled_;
  std::uint32_t width_ = 0, height_ = 0;
  std::size_t bytes_ = 0, row_bytes_ = 0;
  const Unpacker unpacker_{l_};
  const Painter painter_{l_};
  std::vector<std::vector<std::uint8_t>> blocks_;
  std::vector<std::uint8_t> samples_, plane_;
};

std::uint8_t* Allocate(const GanDecodeHost& host, const Layout& l, int channels, int own_bytes) {
  std::uint8_t* out = host.allocate(host.context, l.width, l.height, channels, own_bytes);
  if (out == nullptr) throw Failure{kGanRefused, ""};
  return out;
}

void DecodeRgba(TIFF* tiff, const Layout& l, const Source& source, const GanDecodeHost& host) {
  // libtiff's raster has four bytes per pixel.
  std::uint8_t* out = Allocate(host, l, 3, 4);
  TIFFRGBAImage image = {};
  char why[1024] = "";
  if (TIFFRGBAImageOK(tiff, why) == 0 || TIFFRGBAImageBegin(&image, tiff, 1, why) == 0) Unsupported(why);
  const std::unique_ptr<TIFFRGBAImage, decltype(&TIFFRGBAImageEnd)> end(&image, TIFFRGBAImageEnd);
  image.req_orientation = image.orientation;  // as stored
  std::vector<std::uint32_t> raster(std::size_t{l.width} * l.height);
  if (TIFFRGBAImageGet(&image, raster.data(), l.width, l.height) == 0 || !source.complaint.empty()) Damaged(source);
  for (const std::uint32_t pixel : raster) {
    *out++ = static_cast<std::uint8_t>(TIFFGetR(pixel));
    *out++ = static_cast<std::uint8_t>(TIFFGetG(pixel));
    *out++ = static_cast<std::uint8_t>(TIFFGetB(pixel));
  }
}

void Decode(Source& source, const GanDecodeHost& host) {
  const Tiff tiff = Open(source);
  Layout l = LayoutOf(tiff.get());
  host.set_orientation(host.context, Tag<std::uint16_t>(tiff.get(), TIFFTAG_ORIENTATION, 1));
  if (NeedsRgba(l)) return DecodeRgba(tiff.get(), l, source, host);
  // With this setting libjpeg within libtiff returns RGB, as in Pillow.
  if (l.photometric == PHOTOMETRIC_YCBCR && l.samples == 3)
    TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  RequireKnown(l);
  const int channels = l.alpha == Alpha::kNone ? 3 : 4;
  std::uint8_t* out = Allocate(host, l, channels, l.samples * std::max(1, l.bits / 8));
  Blocks(tiff.get(), l, source).Paint(out);
}

}  // namespace

int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host) {
  Source source;
  source.file = file;
  source.bytes = bytes;
  try {
    Decode(source, *host);
    return kGanDecoded;
  } catch (const Failure& failure) {
    host->explain(host->context, failure.why.c_str());
    return failure.result;
  } catch (const std::bad_alloc&) {
    host->explain(host->context, "TIFF: not enough memory for it");
    return kGanUnsupported;
  }
}

const char* GanDecoderLibrary() {
  static const std::string kVersion = [] {
    const std::string text = TIFFGetVersion();  // "LIBTIFF, Version 4.5.0\n..."
    const std::size_t at = text.find("Version ");
    return "libtiff " + (at == text.npos ? text : text.substr(at + 8, text.find('\n') - at - 8));
  }();
  return kVersion.c_str();
}
