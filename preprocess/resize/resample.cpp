#include "preprocess/resize/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "preprocess/image/rejected.h"

namespace gan::preprocess {

namespace {

// Python's round(): half to even.
std::uint32_t CropOffset(std::uint32_t side, std::uint32_t size) {
  return static_cast<std::uint32_t>(std::nearbyint((static_cast<double>(side) - size) / 2.0));
}

// torchvision makes the short side exactly `size` and computes the crop from the resized picture. So only the inputs of
// the kept square are needed.
struct Geometry {
  std::uint32_t width, height;  // after the resize
  std::uint32_t left, top;      // of the crop
};

Geometry GeometryOf(std::uint32_t width, std::uint32_t height, std::uint32_t size, Crop crop) {
  const std::uint32_t shorter = std::min(width, height);
  const double longer = static_cast<double>(size) * std::max(width, height) / shorter;
  if (longer > std::numeric_limits<std::int32_t>::max()) throw Rejected(Reason::kTooLarge, "too narrow a picture");
  // Truncated, as by int() in torchvision.
  const auto long_side = static_cast<std::uint32_t>(longer);
  Geometry g{width <= height ? size : long_side, width <= height ? long_side : size, 0, 0};
  g.left = CropOffset(g.width, size);
  g.top = crop == Crop::kTop ? 0 : CropOffset(g.height, size);
  return g;
}

}  // namespace

Region InputOfCrop(std::uint32_t width, std::uint32_t height, std::uint32_t size, Filter filter, Crop crop) {
  const Geometry g = GeometryOf(width, height, size, crop);
  const auto [left, right] = InputsOf(width, g.width, g.left, size, filter);
  const auto [top, bottom] = InputsOf(height, g.height, g.top, size, filter);
  return {left, top, right - left, bottom - top};
}

RowResizer::RowResizer(const Region& where, std::uint32_t width, std::uint32_t height, std::uint32_t size,
                       Filter filter, const ResampleKernels& kernels, Crop crop)
    : kernels_(kernels), size_(size) {
  const Geometry g = GeometryOf(width, height, size, crop);
  const auto [top, bottom] = InputsOf(height, g.height, g.top, size, filter);
  first_ = top - where.y;
  end_ = bottom - where.y;
  skipped_left_ = g.left - where.x;
  if (g.width != width) {
    across_ = AxisOf({width, g.width, g.left, size, where.x, where.width, filter}, Direction::kRows, kernels);
  }
  if (g.height != height) {
    down_ = AxisOf({height, g.height, g.top, size, top, bottom - top, filter}, Direction::kColumns, kernels);
  }
  // Every byte is written before it is read.
  narrow_ = std::make_unique_for_overwrite<std::uint8_t[]>(std::size_t{3} * size * (bottom - top));
}

void RowResizer::Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count) {
  const std::uint32_t begin = std::clamp(first_, next_, next_ + count);
  const std::uint32_t end = std::clamp(end_, next_, next_ + count);
  if (end > begin) {
    // Horizontally first, then vertically, as in Pillow. Both passes round to 8 bits, so their order changes the
    // result.
    std::uint8_t* out = &narrow_[std::size_t{3} * size_ * (begin - first_)];
    const std::uint8_t* in = rows + row_bytes * (begin - next_);
    if (across_) {
      kernels_.rows(in, row_bytes, end - begin, *across_, out);
    } else {
      for (std::uint32_t y = begin; y < end; ++y, in += row_bytes, out += std::size_t{3} * size_) {
        std::memcpy(out, in + std::size_t{3} * skipped_left_, std::size_t{3} * size_);
      }
    }
  }
  next_ += count;
}

Rgb8 RowResizer::Finish() {
  Rgb8 out(size_, size_);
  if (!down_) {
    std::copy_n(narrow_.get(), out.pixels.size(), out.pixels.begin());
    return out;
  }
  const std::size_t row_bytes = std::size_t{3} * size_;
  for (std::uint32_t y = 0; y < size_; ++y) {
    kernels_.columns(narrow_.get(), row_bytes, *down_, y, &out.pixels[row_bytes * y]);
  }
  return out;
}

Rgb8 ResizeAndCrop(const Rgb8& image, std::uint32_t size, Filter filter, const ResampleKernels& kernels, Crop crop) {
  RowResizer resizer({0, 0, image.width, image.height}, image.width, image.height, size, filter, kernels, crop);
  // The last rows are copied to memory with readable bytes behind it, because the kernels read beyond a row.
  const std::size_t row_bytes = std::size_t{3} * image.width;
  // The number of rows from whose end kReadBeyond bytes reach beyond the picture.
  const auto last = static_cast<std::uint32_t>(std::min<std::size_t>(image.height, kReadBeyond / row_bytes + 1));
  resizer.Take(image.pixels.data(), row_bytes, image.height - last);
  const auto tail = image.pixels.end() - static_cast<std::ptrdiff_t>(last * row_bytes);
  std::vector<std::uint8_t> roomy(tail, image.pixels.end());
  roomy.resize(roomy.size() + kReadBeyond);
  resizer.Take(roomy.data(), row_bytes, last);
  return resizer.Finish();
}

}  // namespace gan::preprocess
