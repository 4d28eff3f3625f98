#include "trainer/run/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "picture/grid.h"
#include "picture/png.h"
#include "trainer/run/batches.h"

namespace gan::run {

void WriteGrid(const std::filesystem::path& path, const torch::Tensor& images) {
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
  picture::WritePng(path, grid.pixels, grid.width, grid.height);
}

torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents) {
  torch::NoGradGuard no_grad;
  generator->eval();
  const torch::Tensor images = generator->forward(latents);
  generator->train();
  return images;
}

torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device) {
  return Latents(seed, data::Stream::kFixedLatents, 0, count, noise_dim, device);
}

torch::Tensor FirstReals(const data::Dataset& dataset, std::uint64_t count, std::int64_t resolution) {
  const std::uint64_t shown = std::min(count, dataset.size());
  const auto side = static_cast<std::int64_t>(dataset.image_size());
  torch::Tensor pixels = torch::empty({static_cast<std::int64_t>(shown), side, side, 3}, torch::kByte);
  for (std::uint64_t i = 0; i < shown; ++i) {
    const std::span<const std::byte> record = dataset.Record(i);
    std::memcpy(pixels.data_ptr<std::uint8_t>() + i * record.size(), record.data(), record.size());
  }
  return ToImages(pixels, resolution, torch::kCPU);
}

}  // namespace gan::run
