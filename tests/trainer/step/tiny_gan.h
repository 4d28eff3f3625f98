// A network that is trained in milliseconds, and batches for it that depend on rank and step alone.
#pragma once

#include <torch/torch.h>

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

inline Batch BatchOf(int number, std::int64_t images = 4, torch::ScalarType type = torch::kFloat) {
  torch::manual_seed(1000 + number);
  return {(torch::rand({images, 3, 64, 64}) * 2 - 1).to(type), torch::randn({images, 16, 1, 1}).to(type)};
}

}  // namespace gan::step
