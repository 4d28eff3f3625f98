// Our side of bench/generate/projection.py: for every line on stdin it makes ten steps of a projection with Adam and
// prints their seconds on stdout.
// Usage: projection_turns CHECKPOINT STARTS THREADS FEATURE_WEIGHT
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <chrono>
#include <iostream>
#include <numeric>
#include <string>

#include "generate/engine/generate.h"
#include "generate/engine/latents.h"
#include "generate/project/projection.h"

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  constexpr int kSteps = 10;
  constexpr double kRate = 0.1;
  const auto starts = std::stoul(argv[2]), threads = std::stoul(argv[3]);
  const auto trained = gan::generate::LoadReady(argv[1], gan::generate::Weights::kAuto);
  gan::project::ProjectionOptions options;
  options.feature_weight = std::stod(argv[4]);
  gan::project::Projector projector(trained.generator, gan::project::LoadDiscriminator(trained), options);
  projector.SetPhotograph(std::vector<float>(3 * projector.side() * projector.side(), 0.25F));
  gan::project::AdamState adam;
  adam.values = gan::generate::FirstSeeds(starts, trained.generator.noise_dim()).values;
  adam.first_moments.resize(adam.values.size());
  adam.second_moments.resize(adam.values.size());
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  std::vector<double> totals;
  std::size_t step = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    arena.execute([&] {
      for (int i = 0; i < kSteps; ++i) {
        gan::project::AdamStep(projector.GradientAt(adam.values, {}, totals), kRate, ++step, adam);
      }
    });
    std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << std::endl;
  }
}
