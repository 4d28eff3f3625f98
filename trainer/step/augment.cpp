#include "trainer/step/augment.h"

namespace gan::step {

namespace {

enum Gate : std::int64_t { kBrightness, kSaturation, kContrast, kTranslation, kCutout };
constexpr std::int64_t kColourStrength = 5;       // draws 5, 6 and 7 of an image
constexpr std::int64_t kTranslationStrength = 8;  // draws 8 and 9
constexpr std::int64_t kCutoutStrength = 10;      // draws 10 and 11
constexpr double kTranslationRatio = 0.125;
constexpr double kCutoutRatio = 0.5;

// The random numbers of a batch, on the device of the images.
struct Plan {
  const torch::Tensor& draws;
  const torch::Tensor& probability;

  // A comparison on the device and no `if`: the operations are the same whatever the numbers are, so a step can be
  // recorded and repeated.
  torch::Tensor Gated(Gate gate) const { return (draws.select(1, gate) < probability).view({-1, 1, 1, 1}); }
  torch::Tensor Strength(std::int64_t draw) const { return draws.select(1, draw).view({-1, 1, 1, 1}); }
};

// The formulas of the paper's public code. Each operation that is not applied gets a neutral strength.
torch::Tensor Colour(const torch::Tensor& images, const Plan& plan) {
  const auto type = images.scalar_type();
  const torch::Tensor shift = (plan.Strength(kColourStrength) - 0.5) * plan.Gated(kBrightness);
  // One number per image: a shift per pixel would be noise.
  torch::Tensor result = images + shift.to(type);
  const torch::Tensor grey = result.mean(1, /*keepdim=*/true);
  const torch::Tensor saturation = torch::where(plan.Gated(kSaturation), plan.Strength(kColourStrength + 1) * 2, 1.0);
  result = (result - grey) * saturation.to(type) + grey;
  const torch::Tensor level = result.mean({1, 2, 3}, /*keepdim=*/true);
  const torch::Tensor contrast = torch::where(plan.Gated(kContrast), plan.Strength(kColourStrength + 2) + 0.5, 1.0);
  return (result - level) * contrast.to(type) + level;
}

// Shifts each image along `dim` by up to `most` pixels. Pixels from outside are 0.
torch::Tensor Shifted(const torch::Tensor& images, const Plan& plan, std::int64_t dim, std::int64_t draw,
                      std::int64_t most) {
  const std::int64_t side = images.size(dim);
  std::vector<std::int64_t> along = {1, 1, 1, 1};
  along[static_cast<std::size_t>(dim)] = side;
  const torch::Tensor shift = (plan.Strength(draw) * static_cast<double>(2 * most + 1)).floor() - most;
  const torch::Tensor source = torch::arange(side, shift.options()).view(along) + shift * plan.Gated(kTranslation);
  const torch::Tensor inside = (source >= 0).logical_and(source < side).to(images.scalar_type());
  // gather needs valid indices even where the result is multiplied with 0.
  const torch::Tensor index = source.clamp(0, static_cast<double>(side - 1)).to(torch::kLong);
  return images.gather(dim, index.expand(images.sizes())) * inside;
}

// 1 for the rows or columns within the square that is cut out.
torch::Tensor CutAlong(std::int64_t side, std::int64_t length, const Plan& plan, std::int64_t dim, std::int64_t draw) {
  std::vector<std::int64_t> along = {1, 1, 1, 1};
  along[static_cast<std::size_t>(dim)] = side;
  // The square may extend beyond the border, so that border pixels are cut as often as others.
  const double places = static_cast<double>(side + 1 - length % 2);
  const torch::Tensor first = (plan.Strength(draw) * places).floor() - static_cast<double>(length / 2);
  const torch::Tensor place = torch::arange(side, first.options()).view(along);
  return (place >= first).logical_and(place < first + static_cast<double>(length));
}

// The two cuts along the axes intersect in a square.
torch::Tensor CutOut(const torch::Tensor& images, const Plan& plan) {
  const std::int64_t side = images.size(2);
  const auto length = static_cast<std::int64_t>(static_cast<double>(side) * kCutoutRatio + 0.5);
  const torch::Tensor cut = CutAlong(side, length, plan, 2, kCutoutStrength)
                                .logical_and(CutAlong(side, length, plan, 3, kCutoutStrength + 1))
                                .logical_and(plan.Gated(kCutout));
  return images * cut.logical_not().to(images.scalar_type());
}

}  // namespace

torch::Tensor Augment(const torch::Tensor& images, const torch::Tensor& draws, const torch::Tensor& probability) {
  const Plan plan{draws, probability};
  const auto most = static_cast<std::int64_t>(static_cast<double>(images.size(2)) * kTranslationRatio + 0.5);
  torch::Tensor result = Colour(images, plan);
  result = Shifted(result, plan, 2, kTranslationStrength, most);
  result = Shifted(result, plan, 3, kTranslationStrength + 1, most);
  return CutOut(result, plan);
}

}  // namespace gan::step
