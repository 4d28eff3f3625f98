#include "trainer/quality/sliced_wasserstein.h"

#include <torch/nn/functional/conv.h>
#include <torch/nn/functional/padding.h>

#include "trainer/data/sampler.h"
#include "trainer/quality/sort_floats.h"

namespace gan::quality {

namespace {

namespace nn = torch::nn::functional;

constexpr std::int64_t kSmallest = 16;

// The 5x5 binomial filter of Burt and Adelson, with mirrored borders.
torch::Tensor Filtered(const torch::Tensor& images, double gain) {
  const torch::Tensor row = torch::tensor({1.0, 4.0, 6.0, 4.0, 1.0}, images.options()) / 16;
  const torch::Tensor filter = (torch::outer(row, row) * gain).repeat({3, 1, 1, 1});
  const torch::Tensor padded = nn::pad(images, nn::PadFuncOptions({2, 2, 2, 2}).mode(torch::kReflect));
  return nn::conv2d(padded, filter, nn::Conv2dFuncOptions().groups(3));
}

// Filters before dropping every second row and column, to avoid aliasing.
torch::Tensor Down(const torch::Tensor& images) {
  using torch::indexing::None;
  using torch::indexing::Slice;
  return Filtered(images, 1).index({Slice(), Slice(), Slice(0, None, 2), Slice(0, None, 2)});
}

// Inserts zeros and filters; the gain of 4 restores the mean.
torch::Tensor Up(const torch::Tensor& images) {
  using torch::indexing::None;
  using torch::indexing::Slice;
  torch::Tensor spread = torch::zeros({images.size(0), 3, images.size(2) * 2, images.size(3) * 2}, images.options());
  spread.index_put_({Slice(), Slice(), Slice(0, None, 2), Slice(0, None, 2)}, images);
  return Filtered(spread, 4);
}

// Extracts the patches of all images with one indexing operation.
torch::Tensor Patches(const torch::Tensor& images, const torch::Tensor& corners) {
  const torch::Tensor offset = torch::arange(kPatchSide);
  const torch::Tensor rows = (corners.select(2, 0).unsqueeze(-1) + offset).unsqueeze(-1);     // [N, P, 7, 1]
  const torch::Tensor columns = (corners.select(2, 1).unsqueeze(-1) + offset).unsqueeze(-2);  // [N, P, 1, 7]
  const torch::Tensor image = torch::arange(images.size(0)).view({-1, 1, 1, 1});
  // Advanced indices on both sides of a slice: their dimensions come first, and the colour becomes the last one.
  return images.index({image, torch::indexing::Slice(), rows, columns}).permute({0, 1, 4, 2, 3}).contiguous();
}

// Normalises every colour to mean 0 and standard deviation 1 over all patches. Returns rows of 147 numbers.
// Otherwise the distance would mostly be one of contrast: the levels of the pyramid have very different ranges.
// A colour that is the same everywhere becomes 0. The authors' code divides by 0 there, and one colour without detail
// would make the whole distance NaN.
torch::Tensor Normalised(const torch::Tensor& patches) {
  const torch::Tensor rows = patches.flatten(0, 1);
  const torch::Tensor wide = rows.to(torch::kDouble);
  const torch::Tensor mean = wide.mean({0, 2, 3}, true);
  const torch::Tensor deviation = (wide - mean).square().mean({0, 2, 3}, true).sqrt();
  return ((wide - mean) / deviation.masked_fill(deviation == 0, 1)).to(torch::kFloat).flatten(1);
}

// The projections of one level: [kDirections, patches], each row sorted.
torch::Tensor Sorted(const torch::Tensor& patches, std::uint64_t seed, std::size_t level) {
  const torch::Tensor rows = torch::mm(Normalised(patches), Directions(seed, level)).t().contiguous();
  const auto count = static_cast<std::size_t>(rows.size(1));
  std::vector<std::uint32_t> scratch;
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    SortFloats({rows.mutable_data_ptr<float>() + row * rows.size(1), count}, scratch);
  }
  return rows;
}

}  // namespace

torch::Tensor PatchCorners(std::uint64_t seed, std::uint64_t first_image, std::int64_t count, std::int64_t side) {
  torch::Tensor corners = torch::empty({count, kPatchesAnImage, 2}, torch::kLong);
  auto* corner = corners.data_ptr<std::int64_t>();
  const auto places = static_cast<double>(side - kPatchSide + 1);
  for (std::int64_t image = 0; image < count; ++image) {
    for (std::int64_t i = 0; i < 2 * kPatchesAnImage; ++i) {
      // The size is part of the counter, so that each level of the pyramid has its own positions.
      const auto draw = static_cast<std::uint64_t>(side << 10 | i);
      *corner++ = static_cast<std::int64_t>(
          places * data::Uniform(seed, data::Stream::kQuality, first_image + static_cast<std::uint64_t>(image), draw));
    }
  }
  return corners;
}

torch::Tensor Directions(std::uint64_t seed, std::uint64_t level) {
  torch::Tensor directions = torch::empty({3 * kPatchSide * kPatchSide, kDirections});
  data::FillNormal(directions.data_ptr<float>(), static_cast<std::uint64_t>(directions.numel()), seed,
                   data::Stream::kProjection, level, 0);
  return directions / directions.norm(2, 0, /*keepdim=*/true);
}

std::vector<torch::Tensor> LaplacianPatches(const torch::Tensor& images, std::uint64_t seed,
                                            std::uint64_t first_image) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> levels;
  torch::Tensor image = images.to(torch::kCPU, torch::kFloat);
  while (true) {
    const std::int64_t side = image.size(2);
    // A level of the Laplacian pyramid is the detail that the next smaller image lacks; the last level is that image
    // itself.
    const torch::Tensor smaller = side > kSmallest ? Down(image) : torch::Tensor();
    const torch::Tensor level = smaller.defined() ? image - Up(smaller) : image;
    levels.push_back(Patches(level, PatchCorners(seed, first_image, image.size(0), side)));
    if (!smaller.defined()) return levels;
    image = smaller;
  }
}

std::vector<torch::Tensor> SortedProjections(const std::vector<torch::Tensor>& patches, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> sorted;
  for (std::size_t level = 0; level < patches.size(); ++level) sorted.push_back(Sorted(patches[level], seed, level));
  return sorted;
}

// In one dimension, the Wasserstein distance is the mean distance between sorted values.
double SlicedWasserstein(const std::vector<torch::Tensor>& sorted, const std::vector<torch::Tensor>& patches,
                         std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  double sum = 0;
  for (std::size_t level = 0; level < patches.size(); ++level) {
    const torch::Tensor distances = (sorted[level] - Sorted(patches[level], seed, level)).abs();
    sum += distances.to(torch::kDouble).mean(1).sum().item<double>();
  }
  return sum / static_cast<double>(kDirections * std::ssize(patches));
}

}  // namespace gan::quality
