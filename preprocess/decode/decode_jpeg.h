// JPEGs row by row, and less than the whole of them where that gives the same pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "preprocess/decode/decode.h"
#include "preprocess/resize/resample.h"

namespace gan::preprocess {

// Takes the rows of a picture while they are decoded.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // The rows to come are those of `where` of a picture of width x height. Once more when damage makes the decoder start
  // anew.
  virtual void Begin(const Region& where, std::uint32_t width, std::uint32_t height) = 0;
  // The next `count` rows from the top, `row_bytes` apart, and kReadBeyond bytes behind them that may be read.
  virtual void Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count) = 0;
};

// What a record of size x size needs of a JPEG.
struct JpegView {
  std::uint32_t size = 128;
  Filter filter = Filter::kBilinear;
  Crop crop = Crop::kCenter;
  unsigned scale = 1;  // 1, 2, 4, 8: decoded at 1/scale of its width and height
};

// At least the rows and columns that the resize looks at, with exactly the pixels of the whole picture. The
// entropy-coded data is read to its end, so damage anywhere in it is noticed; after any damage the whole is decoded
// instead, so that the outcome is DecodeJpeg()'s. Throws Rejected.
void DecodeJpegRows(std::span<const std::byte> file, const DecodeOptions& options, const JpegView& view, RowSink& sink);

// The largest scale that leaves `least` pixels on the short side.
unsigned JpegScale(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t least);

// The whole at 1/scale.
Rgb8 DecodeJpegScaled(std::span<const std::byte> file, const DecodeOptions& options, unsigned scale);

}  // namespace gan::preprocess
