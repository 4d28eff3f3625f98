#include "trainer/run/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/build_facts.h"
#include "picture/grid.h"
#include "picture/png.h"
#include "storage/checksum.h"
#include "trainer/run/batches.h"

namespace gan::run {

// A grid is as square as the number of images allows.
void WriteGrid(const std::filesystem::path& path, const torch::Tensor& images,
               const std::optional<picture::Mark>& mark) {
  // Maps [-1, 1] to whole numbers 0 to 255, rounded to the nearest.
  torch::NoGradGuard no_grad;
  const torch::Tensor bytes = images.to(torch::kCPU)
                                  .add(1)
                                  .mul(127.5)
                                  .add(0.5)
                                  .clamp(0, 255)
                                  .to(torch::kByte)
                                  .permute({0, 2, 3, 1})
                                  .contiguous();
  const auto count = static_cast<std::uint32_t>(bytes.size(0));
  const auto columns = static_cast<std::uint32_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const picture::GridImage grid =
      picture::Grid({bytes.data_ptr<std::uint8_t>(), static_cast<std::size_t>(bytes.numel())}, count,
                    static_cast<std::uint32_t>(bytes.size(1)), columns);
  picture::WritePng(path, grid.pixels, grid.width, grid.height, mark);
}

picture::Mark MarkOf(torch::nn::Sequential& generator, std::uint64_t step, std::uint64_t seed) {
  // gan-generate computes the same digest for a checkpoint's generator, so an image can be traced to its model.
  storage::Digest digest;
  for (const torch::Tensor& parameter : generator->parameters()) {
    const torch::Tensor values = parameter.detach().to(torch::kCPU, torch::kFloat).contiguous();
    digest.Update({reinterpret_cast<const std::byte*>(values.data_ptr<float>()), values.nbytes()});
  }
  picture::Mark mark = picture::MarkOfModel(cli::Version(), digest.Text());
  mark.recipe[picture::kStep] = std::to_string(step);
  mark.prompt = "fixed latents of a run with seed " + std::to_string(seed) + ", at step " + std::to_string(step);
  return mark;
}

// Enough latents for stable statistics; they depend on the seed alone, so every process measures the same.
void FitStatistics(torch::nn::Sequential& generator, std::uint64_t seed, const torch::TensorOptions& home,
                   std::int64_t noise_dim) {
  constexpr std::uint64_t kLatents = 128;
  constexpr std::int64_t kBatch = 64;
  step::ReestimateStatistics(
      generator, Latents(seed, data::Stream::kStatistics, 0, kLatents, noise_dim, home.device()).to(home), kBatch);
}

torch::nn::Sequential GeneratorForPictures(const step::Gan& gan, std::uint64_t seed) {
  // A copy, because the running statistics of the training generator must not change.
  torch::NoGradGuard no_grad;
  const torch::TensorOptions home = gan.generator->parameters().front().options().requires_grad(false);
  torch::nn::Sequential copy = model::MakeGenerator(gan.options.network);
  copy->to(home.device());
  model::ConvertFloatingPoint(*copy, torch::typeMetaToScalarType(home.dtype()));
  const model::NamedTensors from = model::NamedState(*gan.generator, "");
  const model::NamedTensors to = model::NamedState(*copy, "");
  for (std::size_t i = 0; i < from.size(); ++i) torch::Tensor(to[i].second).copy_(from[i].second);
  copy->eval();
  if (gan.ema.active()) {
    gan.ema.CopyTo(*copy);
    FitStatistics(copy, seed, home, gan.options.network.noise_dim);
  }
  return copy;
}

torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents) {
  torch::NoGradGuard no_grad;
  generator->eval();
  const torch::Tensor images =
      generator->forward(latents.to(generator->parameters().front().options().requires_grad(false)));
  generator->train();
  return images;
}

torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device) {
  return Latents(seed, data::Stream::kFixedLatents, 0, count, noise_dim, device);
}

torch::Tensor FirstReals(const data::Dataset& dataset, std::uint64_t count, std::int64_t resolution) {
  // A small data set may have fewer images than the grid has places.
  const std::uint64_t shown = std::min(count, dataset.size());
  const auto side = static_cast<std::int64_t>(dataset.image_size());
  torch::Tensor pixels = torch::empty({static_cast<std::int64_t>(shown), side, side, 3}, torch::kByte);
  for (std::uint64_t i = 0; i < shown; ++i) {
    // A preview must not end the run because of a damaged record; the loader reports it.
    data::UntilNothingIsLost([&] {
      const std::span<const std::byte> record = dataset.IntactRecord(i, [](const DataError&) {});
      std::memcpy(pixels.data_ptr<std::uint8_t>() + i * record.size(), record.data(), record.size());
    });
  }
  return ToImages(pixels, resolution, torch::kCPU);
}

}  // namespace gan::run
