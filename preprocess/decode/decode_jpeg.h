// Decodes JPEGs row by row, and only a part of them when that gives the same pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "preprocess/decode/decode.h"
#include "preprocess/resize/resample.h"

namespace gan::preprocess {

// Receives the rows of a picture while it is decoded.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // The following rows are those of the region `where` in a picture of width x height. Called again when damage makes
  // the decoder start again.
  virtual void Begin(const Region& where, std::uint32_t width, std::uint32_t height) = 0;
  // The next `count` rows from the top, `row_bytes` apart. kReadBeyond bytes behind them may be read.
  virtual void Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count) = 0;
};

// The part of a JPEG that a record of size x size needs.
struct JpegView {
  std::uint32_t size = 128;
  Filter filter = Filter::kBilinear;
  Crop crop = Crop::kCenter;
  unsigned scale = 1;  // 1, 2, 4, 8: decoded at 1/scale of its width and height
};

// Decodes at least the rows and columns that the resize needs, with exactly the pixels of the whole picture. The
// entropy-coded data is read to its end, so damage anywhere in it is noticed. After any damage the whole picture is
// decoded instead, so the result equals that of DecodeJpeg(). Throws Rejected.
void DecodeJpegRows(std::span<const std::byte> file, const DecodeOptions& options, const JpegView& view, RowSink& sink);

// The largest scale at which the short side has at least `least` pixels.
unsigned JpegScale(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t least);

// The whole picture at 1/scale.
Rgb8 DecodeJpegScaled(std::span<const std::byte> file, const DecodeOptions& options, unsigned scale);

}  // namespace gan::preprocess
