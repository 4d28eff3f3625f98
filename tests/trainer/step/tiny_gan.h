// A network that is trained in milliseconds, and batches for it that depend on rank and step alone.
#pragma once

#include <torch/utils.h>

#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/step/train_step.h"

namespace gan::step {

inline GanOptions TinyOptions() {
  GanOptions options;
  options.network = {.resolution = 64, .features = 2, .noise_dim = 16};
  return options;
}

inline Gan TinyGan(const GanOptions& options = TinyOptions()) {
  return {options, torch::kCPU, /*seed=*/1, distributed::Communicator::Create(distributed::TestWorld(), "gradients")};
}

// This batch with classes in turn, for networks with `count` of them.
inline Batch WithClasses(Batch batch, std::int64_t count) {
  const torch::Tensor numbers = torch::arange(batch.real.size(0));
  const auto rows = [&](const torch::Tensor& classes) {
    return torch::one_hot(classes, count).to(batch.real.scalar_type());
  };
  batch.real_classes = rows(numbers % count);
  batch.fake_classes = rows((2 * numbers + 1) % count);
  return batch;
}

inline Batch BatchOf(int number, std::int64_t images = 4, torch::ScalarType type = torch::kFloat) {
  torch::manual_seed(1000 + number);
  Batch batch = {(torch::rand({images, 3, 64, 64}) * 2 - 1).to(type), torch::randn({images, 16, 1, 1}).to(type)};
  batch.draws = DrawsOf(/*seed=*/0, /*first_image=*/0, images, torch::kCPU);
  return batch;
}

// The largest difference of two values.
inline double Difference(const torch::Tensor& a, const torch::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace gan::step
