#include "trainer/model/patches.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "trainer/model/product.h"

namespace gan::model {

namespace {

constexpr std::int64_t kTaps = 4;

// In channels-last order the four pixels of a kernel row lie one after the other, with all their channels, so a patch
// is four copies of contiguous memory. In NCHW it would be 4 C runs of four numbers.

// The shape of the smaller map and of the matrix of patches.
struct Shape {
  std::int64_t count, side, channels;  // side: of the smaller map
  std::int64_t large() const { return 2 * side; }
  std::int64_t row() const { return kTaps * kTaps * channels; }
  std::int64_t pixels() const { return count * large() * large() * channels; }
};

// Calls run(offset in the map, offset in the row, length) for each contiguous run of a patch that is inside the map.
template <typename Run>
void VisitRuns(const Shape& s, std::int64_t image, std::int64_t y, std::int64_t x, const Run& run) {
  // A patch begins one pixel outside because of the padding; its left and right end are cut to the map.
  const std::int64_t left = 2 * x - 1;
  const std::int64_t first = std::max<std::int64_t>(0, -left);
  const std::int64_t end = std::min(kTaps, s.large() - left);
  for (std::int64_t tap = 0; tap < kTaps; ++tap) {
    const std::int64_t top = 2 * y - 1 + tap;
    if (top < 0 || top >= s.large()) continue;
    const std::int64_t in_map = ((image * s.large() + top) * s.large() + left + first) * s.channels;
    run(in_map, (tap * kTaps + first) * s.channels, (end - first) * s.channels);
  }
}

// Parallel over lines of patches, which write to separate rows.
template <typename Value>
void Gather(const Value* map, Value* rows, const Shape& s) {
  at::parallel_for(0, s.count * s.side, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      for (std::int64_t x = 0; x < s.side; ++x) {
        Value* row = rows + (line * s.side + x) * s.row();
        // Only patches at the border have positions outside of the map, which must be 0.
        const bool at_edge = line % s.side == 0 || line % s.side == s.side - 1 || x == 0 || x == s.side - 1;
        if (at_edge) std::fill_n(row, s.row(), Value{0});
        VisitRuns(s, line / s.side, line % s.side, x,
                  [&](std::int64_t in_map, std::int64_t in_row, std::int64_t length) {
                    std::copy_n(map + in_map, length, row + in_row);
                  });
      }
    }
  });
}

template <typename Value>
void Add(const Value* from, std::int64_t length, Value* to) {
  // In G's last layer almost every run has 4 x 3 values. A loop of known length is twice as fast.
  constexpr std::int64_t kColours = kTaps * 3;
  if (length == kColours) {
    for (std::int64_t i = 0; i < kColours; ++i) to[i] += from[i];
    return;
  }
  for (std::int64_t i = 0; i < length; ++i) to[i] += from[i];
}

template <typename Value>
void Scatter(const Value* rows, Value* map, const Shape& s) {
  at::parallel_for(
      0, s.count, 1,
      [&](std::int64_t begin, std::int64_t end) {  // parallel over images, because patches of one image overlap
        std::fill(map + begin * s.pixels() / s.count, map + end * s.pixels() / s.count, Value{0});
        for (std::int64_t place = begin * s.side * s.side; place < end * s.side * s.side; ++place) {
          const Value* row = rows + place * s.row();
          VisitRuns(s, place / (s.side * s.side), place / s.side % s.side, place % s.side,
                    [&](std::int64_t in_map, std::int64_t in_row, std::int64_t length) {
                      Add(row + in_row, length, map + in_map);
                    });
        }
      });
}

// The weight [K, C, 4, 4] as a matrix [K, 16*C]. Needs no copy in channels-last order.
torch::Tensor AsMatrix(const torch::Tensor& weight) {
  return weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1});
}

torch::Tensor ToNhwc(const torch::Tensor& map) { return map.permute({0, 2, 3, 1}); }
torch::Tensor ToNchw(const torch::Tensor& map) { return map.permute({0, 3, 1, 2}); }

// The map [N, K, s, s] as a matrix [N*s*s, K].
torch::Tensor Places(const torch::Tensor& small) { return ToNhwc(small).reshape({-1, small.size(1)}); }

}  // namespace

// The map must be packed, so that a patch consists of four runs.
torch::Tensor Patches(const torch::Tensor& map) {
  const torch::Tensor packed = map.contiguous();
  const Shape shape = {packed.size(0), packed.size(1) / 2, packed.size(3)};
  torch::Tensor rows = torch::empty({shape.count * shape.side * shape.side, shape.row()}, packed.options());
  AT_DISPATCH_FLOATING_TYPES(packed.scalar_type(), "Patches",
                             [&] { Gather(packed.const_data_ptr<scalar_t>(), rows.data_ptr<scalar_t>(), shape); });
  return rows;
}

torch::Tensor SumOfPatches(const torch::Tensor& rows, std::int64_t count, std::int64_t side) {
  const torch::Tensor packed = rows.contiguous();
  const Shape shape = {count, side, packed.size(1) / (kTaps * kTaps)};
  torch::Tensor map = torch::empty({count, shape.large(), shape.large(), shape.channels}, packed.options());
  AT_DISPATCH_FLOATING_TYPES(packed.scalar_type(), "SumOfPatches",
                             [&] { Scatter(packed.const_data_ptr<scalar_t>(), map.data_ptr<scalar_t>(), shape); });
  return map;
}

torch::Tensor PatchesDown(const torch::Tensor& large, const torch::Tensor& weight) {
  const torch::Tensor rows = Product(Patches(ToNhwc(large)), AsMatrix(weight).t());
  const std::int64_t side = large.size(2) / 2;
  return ToNchw(rows.view({large.size(0), side, side, weight.size(0)}));
}

torch::Tensor PatchesUp(const torch::Tensor& small, const torch::Tensor& weight) {
  return ToNchw(SumOfPatches(ProductWithRows(Places(small), AsMatrix(weight)), small.size(0), small.size(2)));
}

torch::Tensor PatchesWeight(const torch::Tensor& large, const torch::Tensor& small) {
  // The sum over all places and images is the product's inner dimension, so no gradient per image is ever stored.
  const torch::Tensor rows = Product(Places(small).t(), Patches(ToNhwc(large)));
  return ToNchw(rows.view({small.size(1), kTaps, kTaps, large.size(1)}));
}

}  // namespace gan::model
