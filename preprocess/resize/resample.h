// torchvision's Resize(size) and CenterCrop(size) on a PIL picture, bit for bit (Pillow 12.0.0,
// src/libImaging/Resample.c).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "preprocess/image/image.h"
#include "preprocess/resize/axis.h"
#include "preprocess/resize/resample_kernels.h"

namespace gan::preprocess {

// The square of the resized picture that is kept: the middle one, or for a tall picture the top one.
enum class Crop { kCenter, kTop };

// The short side becomes `size`, the long one in proportion, then `crop` keeps size x size. Only that part is computed.
// The picture must have at least one pixel. Throws Rejected when the long side would become far too large.
Rgb8 ResizeAndCrop(const Rgb8& image, std::uint32_t size, Filter filter, const ResampleKernels& kernels = BestKernels(),
                   Crop crop = Crop::kCenter);

// The region of a picture of width x height from which the kept square is computed.
Region InputOfCrop(std::uint32_t width, std::uint32_t height, std::uint32_t size, Filter filter,
                   Crop crop = Crop::kCenter);

// Resizes a picture that arrives row by row, from the top: each row is resized horizontally while it is in the cache.
// Not thread-safe.
class RowResizer {
 public:
  // The rows are those of the region `where`, which contains InputOfCrop(), in a picture of width x height.
  RowResizer(const Region& where, std::uint32_t width, std::uint32_t height, std::uint32_t size, Filter filter,
             const ResampleKernels& kernels = BestKernels(), Crop crop = Crop::kCenter);
  // Adds the next `count` rows of `where`, `row_bytes` apart. kReadBeyond bytes behind them may be read.
  void Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count);
  Rgb8 Finish();  // after all rows, once

 private:
  const ResampleKernels& kernels_;
  std::uint32_t size_;
  std::uint32_t skipped_left_;                 // used when the width does not change
  std::uint32_t next_ = 0;                     // row of `where`
  std::uint32_t first_, end_;                  // the rows that are needed
  std::shared_ptr<const Axis> across_, down_;  // null: unchanged
  std::unique_ptr<std::uint8_t[]> narrow_;     // RGB [end_ - first_, size_]
};

}  // namespace gan::preprocess
