// Measures the cost of averaging the gradients of both networks over the ranks: in place, and through one buffer of
// their joint size, in turns, beside a copy of as many bytes.
// Usage: mpirun -np N exchange [--features 16] [--turns 50]
#include <torch/nn/modules/container/sequential.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <CLI/CLI.hpp>

#include "trainer/distributed/tensor_average.h"
#include "trainer/model/networks.h"

namespace {

namespace distributed = gan::distributed;
using Tensors = std::vector<torch::Tensor>;

// In channels-last order, as in the trainer on a CPU.
Tensors LikeParameters(const torch::nn::Sequential& network) {
  Tensors gradients;
  for (const torch::Tensor& parameter : network->parameters()) {
    const torch::Tensor gradient = torch::randn(parameter.sizes());
    gradients.push_back(parameter.dim() == 4 ? gradient.contiguous(torch::MemoryFormat::ChannelsLast) : gradient);
  }
  return gradients;
}

// The same measurement for gradients that are copied into a buffer and back.
void AverageThroughABuffer(const Tensors& gradients, distributed::Communicator& communicator) {
  Tensors rows;
  for (const torch::Tensor& gradient : gradients) rows.push_back(gradient.as_strided({gradient.numel()}, {1}));
  torch::Tensor buffer = torch::cat(rows);
  communicator.AllReduce(buffer);
  distributed::NormOf({buffer});
  std::int64_t begin = 0;
  for (torch::Tensor& row : rows) {
    torch::div_out(row, buffer.narrow(0, begin, row.numel()), torch::tensor(1.0 * communicator.size()));
    begin += row.numel();
  }
}

// Milliseconds of the fastest turn and of the median turn.
struct Times {
  void Add(std::chrono::steady_clock::duration time) { all.push_back(1e-6 * static_cast<double>(time.count())); }
  void Print(const char* what) {
    std::ranges::sort(all);
    std::printf("%-18s %6.2f ms, at best %.2f\n", what, all[all.size() / 2], all[0]);
  }
  std::vector<double> all;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The exchange of gradients alone");
  gan::model::NetworkOptions network;
  network.features = 16;
  int turns = 50;
  app.add_option("--features", network.features);
  app.add_option("--turns", turns);
  CLI11_PARSE(app, argc, argv);
  const distributed::Environment environment(&argc, &argv);
  const auto communicator = distributed::Communicator::Create(environment.world(), "exchange");
  torch::set_num_threads(1);
  torch::NoGradGuard no_grad;
  const Tensors g = LikeParameters(gan::model::MakeGenerator(network));
  const Tensors d = LikeParameters(gan::model::MakeDiscriminator(network));
  Times in_place, through_a_buffer, copy;
  const auto timed = [&](Times& times, const auto& work) {
    communicator->Barrier();
    const auto start = std::chrono::steady_clock::now();
    work(d);
    work(g);
    times.Add(std::chrono::steady_clock::now() - start);
  };
  for (int turn = 0; turn < turns; ++turn) {
    timed(in_place, [&](const Tensors& all) { distributed::AverageOverRanks(all, *communicator); });
    timed(through_a_buffer, [&](const Tensors& all) { AverageThroughABuffer(all, *communicator); });
    timed(copy, [](const Tensors& all) {
      for (const torch::Tensor& gradient : all) gradient.clone();
    });
  }
  if (communicator->rank() != 0) return 0;
  std::int64_t elements = 0;
  for (const Tensors& all : {g, d}) {
    for (const torch::Tensor& gradient : all) elements += gradient.numel();
  }
  std::printf("features %ld, %d rank(s), %.1f MB of gradients\n", network.features, communicator->size(),
              4e-6 * static_cast<double>(elements));
  in_place.Print("in place");
  through_a_buffer.Print("through a buffer");
  copy.Print("one copy of them");
  return 0;
}
