#include "trainer/run/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/build_facts.h"
#include "picture/grid.h"
#include "picture/png.h"
#include "storage/checksum.h"
#include "trainer/model/classes.h"
#include "trainer/run/batches.h"

namespace gan::run {

namespace {

constexpr std::uint64_t kColumnsOfClasses = 8;

// The records of a grid, row by row: the first ones of each class; empty places where a class has too few. Scans only
// the footers, and ends when every row is full.
std::vector<std::optional<std::uint64_t>> FirstOfClasses(const data::Dataset& dataset, std::uint64_t rows) {
  std::vector<std::optional<std::uint64_t>> places(rows * kColumnsOfClasses);
  std::vector<std::uint64_t> found(rows);
  std::uint64_t open = places.size();
  for (std::uint64_t i = 0; i < dataset.size() && open > 0; ++i) {
    const std::uint32_t label = dataset.Label(i);
    if (label >= rows || found[label] == kColumnsOfClasses) continue;
    places[label * kColumnsOfClasses + found[label]++] = i;
    --open;
  }
  return places;
}

}  // namespace

torch::Tensor ToBytes(const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  // The rounding is that of gan-generate (ToRgb), so both make the same bytes of the same values.
  return images.to(torch::kCPU)
      .add(1)
      .mul(127.5)
      .add(0.5)
      .clamp(0, 255)
      .to(torch::kByte)
      .permute({0, 2, 3, 1})
      .contiguous();
}

void WriteGrid(const std::filesystem::path& path, const GridOfImages& grid_of,
               const std::optional<picture::Mark>& mark) {
  const torch::Tensor bytes = ToBytes(grid_of.images);
  const auto count = static_cast<std::uint32_t>(bytes.size(0));
  const auto square = static_cast<std::uint32_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const std::uint32_t columns = grid_of.columns > 0 ? grid_of.columns : square;
  const picture::GridImage grid =
      picture::Grid({bytes.data_ptr<std::uint8_t>(), static_cast<std::size_t>(bytes.numel())}, count,
                    static_cast<std::uint32_t>(bytes.size(1)), columns);
  picture::WritePng(path, grid.pixels, grid.width, grid.height, mark);
}

picture::Mark MarkOf(torch::nn::Sequential& generator, std::uint64_t step, std::uint64_t seed) {
  // gan-generate computes the same digest for a checkpoint's generator, so an image can be traced to its model.
  storage::Digest digest;
  // Row-major float32 in the order of the layers, whatever precision and memory order training uses.
  for (const torch::Tensor& parameter : generator->parameters()) {
    const torch::Tensor values = parameter.detach().to(torch::kCPU, torch::kFloat).contiguous();
    digest.Update({reinterpret_cast<const std::byte*>(values.data_ptr<float>()), values.nbytes()});
  }
  picture::Mark mark = picture::MarkOfModel(cli::Version(), digest.Text());
  mark.recipe[picture::kStep] = std::to_string(step);
  mark.prompt = "fixed latents of a run with seed " + std::to_string(seed) + ", at step " + std::to_string(step);
  return mark;
}

torch::nn::Sequential GeneratorLike(const step::Gan& gan) {
  torch::NoGradGuard no_grad;
  const torch::TensorOptions home = gan.generator->parameters().front().options();
  torch::nn::Sequential generator = model::MakeGenerator(gan.options.network);
  generator->to(home.device());
  model::ConvertFloatingPoint(*generator, torch::typeMetaToScalarType(home.dtype()));
  return generator;
}

void CopyWeightsForPictures(const step::Gan& gan, torch::nn::Sequential& generator) {
  torch::NoGradGuard no_grad;
  const model::NamedTensors from = model::NamedState(*gan.generator, "");
  const model::NamedTensors to = model::NamedState(*generator, "");
  for (std::size_t i = 0; i < from.size(); ++i) torch::Tensor(to[i].second).copy_(from[i].second);
  if (gan.ema.active()) gan.ema.CopyTo(*generator);
}

// Uses enough latents for stable statistics.
void FitStatistics(torch::nn::Sequential& generator, const data::Classes& classes, std::int64_t noise_dim,
                   std::uint64_t seed) {
  constexpr std::uint64_t kLatents = 128;
  constexpr std::int64_t kBatch = 64;
  constexpr auto kStream = data::Stream::kStatistics;
  const torch::TensorOptions home = generator->parameters().front().options().requires_grad(false);
  const torch::Tensor latents = Latents(seed, kStream, 0, kLatents, noise_dim, home.device());
  torch::Tensor drawn = DrawClasses(classes, seed, kStream, 0, kLatents, home.device());
  if (drawn.defined()) drawn = drawn.to(home);
  torch::NoGradGuard no_grad;
  step::ReestimateStatistics(generator, model::GeneratorInput(generator, latents.to(home), drawn), kBatch);
}

// A copy, because the running statistics of the training generator must not change.
torch::nn::Sequential GeneratorForPictures(const step::Gan& gan, std::uint64_t seed) {
  torch::nn::Sequential copy = GeneratorLike(gan);
  CopyWeightsForPictures(gan, copy);
  copy->eval();
  if (gan.ema.active()) FitStatistics(copy, gan.classes, gan.options.network.noise_dim, seed);
  return copy;
}

torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents, const torch::Tensor& classes) {
  torch::NoGradGuard no_grad;
  generator->eval();
  const torch::TensorOptions home = generator->parameters().front().options().requires_grad(false);
  const torch::Tensor images = generator->forward(
      model::GeneratorInput(generator, latents.to(home), classes.defined() ? classes.to(home) : classes));
  generator->train();
  return images;
}

torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device) {
  return Latents(seed, data::Stream::kFixedLatents, 0, count, noise_dim, device);
}

GridOfImages FixedFakes(const step::Gan& gan, torch::nn::Sequential& generator, std::uint64_t seed) {
  const std::int64_t noise_dim = gan.options.network.noise_dim;
  if (gan.classes.empty()) return {Generate(generator, FixedLatents(seed, kGridImages, noise_dim, gan.device))};
  const auto rows = static_cast<std::uint32_t>(std::min<std::uint64_t>(gan.classes.size(), kMostRows));
  std::vector<std::uint32_t> classes;
  for (std::uint32_t row = 0; row < rows; ++row) classes.insert(classes.end(), kColumnsOfClasses, row);
  const torch::Tensor latents =
      // The same latents in every row show what the class alone changes.
      FixedLatents(seed, kColumnsOfClasses, noise_dim, gan.device).repeat({std::int64_t{rows}, 1, 1, 1});
  return {Generate(generator, latents, model::OneHot(classes, gan.classes.size())),
          static_cast<std::uint32_t>(kColumnsOfClasses)};
}

GridOfImages FirstReals(const data::Dataset& dataset, const data::Classes& classes, std::int64_t resolution) {
  // A small data set may have fewer images than the grid has places.
  std::vector<std::optional<std::uint64_t>> places(std::min(kGridImages, dataset.size()));
  for (std::uint64_t i = 0; i < places.size(); ++i) places[i] = i;
  if (!classes.empty()) places = FirstOfClasses(dataset, std::min<std::uint64_t>(classes.size(), kMostRows));
  const auto side = static_cast<std::int64_t>(dataset.image_size());
  torch::Tensor pixels = torch::zeros({std::ssize(places), side, side, 3}, torch::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  for (const auto& place : places) {
    // A preview must not end the run because of a damaged record; the loader reports it.
    if (place) {
      data::UntilNothingIsLost([&] {
        const std::span<const std::byte> record = dataset.IntactRecord(*place, [](const DataError&) {});
        std::memcpy(out, record.data(), record.size());
      });
    }
    out += 3 * side * side;
  }
  return {ToImages(pixels, resolution, torch::kCPU),
          classes.empty() ? 0 : static_cast<std::uint32_t>(kColumnsOfClasses)};
}

}  // namespace gan::run
