// Trains a few steps on random batches and leaves behind what a PyTorch script needs to do the same: initial state,
// batches, gradients of the first step, losses of every step. Usage:
// [mpirun -np N] train_dump FOLDER STEPS auto|torch
// auto: in double precision, where summing in another order does not show.
#include <torch/nn/module.h>
#include <torch/utils.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/safetensors.h"
#include "storage/files.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/step/train_step.h"

namespace {

using gan::model::NamedTensors;

void Write(const std::string& path, const NamedTensors& tensors) {
  const gan::run::Snapshot snapshot(tensors);
  gan::storage::AtomicFile file(path);
  file.Append(gan::checkpoint::EncodeHeader(snapshot.views()));
  for (const auto& view : snapshot.views()) {
    if (view.settle) view.settle();
    file.Append(view.data);
  }
  file.Commit();
}

NamedTensors Gradients(const torch::nn::Module& module, const std::string& prefix) {
  NamedTensors gradients;
  for (const auto& item : module.named_parameters()) gradients.emplace_back(prefix + item.key(), item.value().grad());
  return gradients;
}

NamedTensors Joined(NamedTensors a, const NamedTensors& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

int main(int argc, char** argv) {
  gan::distributed::Environment environment(&argc, &argv);
  const gan::distributed::World& world = environment.world();
  const std::string folder = argv[1];
  const int steps = std::stoi(argv[2]);
  torch::set_num_threads(1);
  const auto communicator = gan::distributed::Communicator::Create(world, "gradients");
  gan::step::GanOptions options;
  options.network = {.resolution = 128, .features = 8, .noise_dim = 100};
  const bool as_torch = std::string(argv[3]) == "torch";
  options.network.convolutions = as_torch ? gan::model::ConvolutionPath::kTorch : gan::model::ConvolutionPath::kAuto;
  options.precision = as_torch ? gan::step::Precision::kFp32 : gan::step::Precision::kFp64;
  const auto type = as_torch ? torch::kFloat : torch::kDouble;
  gan::step::Gan gan(options, torch::kCPU, /*seed=*/3, communicator);
  const std::string mine = folder + "/rank-" + std::to_string(world.rank) + "-";
  Write(mine + "state.safetensors", gan.NamedState());
  nlohmann::json losses = nlohmann::json::array();
  torch::manual_seed(100 + world.rank);
  for (int i = 0; i < steps; ++i) {
    const gan::step::Batch batch = {torch::rand({8, 3, 128, 128}, type) * 2 - 1, torch::randn({8, 100, 1, 1}, type)};
    Write(mine + "batch-" + std::to_string(i) + ".safetensors", {{"real", batch.real}, {"latents", batch.latents}});
    const gan::step::StepResult result = gan::step::TrainStep(gan, {}, {}, [&] { return batch; });
    losses.push_back({result.loss_d_real, result.loss_d_fake, result.loss_g});
    if (i == 0) {
      Write(mine + "gradients.safetensors",
            Joined(Gradients(*gan.generator, "generator."), Gradients(*gan.discriminator, "discriminator.")));
    }
  }
  gan::storage::WriteFileAtomically(mine + "losses.json", losses.dump());
  return 0;
}
