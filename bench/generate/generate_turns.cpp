// Our side of bench/generate/bench.py: for every line on stdin it generates one batch and prints the seconds on stdout.
// Usage: generate_turns GENERATOR.safetensors BATCH THREADS
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <chrono>
#include <iostream>
#include <numeric>
#include <string>

#include "generate/engine/engine.h"
#include "generate/engine/latents.h"
#include "generate/engine/load.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto batch = std::stoul(argv[2]), threads = std::stoul(argv[3]);
  const auto trained = gan::generate::Load(argv[1], gan::generate::Weights::kAuto);
  gan::generate::Engine engine(trained.generator);
  std::vector<std::uint64_t> seeds(batch);
  std::iota(seeds.begin(), seeds.end(), 0);
  const auto latents = gan::generate::FromSeeds(seeds, trained.generator.noise_dim());
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    arena.execute([&] { engine.Run(latents.values); });
    std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() << std::endl;
  }
}
