#include "trainer/step/ema.h"

#include <algorithm>
#include <cmath>

#include <torch/nn/modules/batchnorm.h>

namespace gan::step {

namespace {

constexpr double kRampUp = 0.05;

}  // namespace

Ema::Ema(const torch::nn::Module& module, std::uint64_t half_life_images) : half_life_images_(half_life_images) {
  if (!active()) return;
  for (const auto& item : module.named_parameters()) averages_.emplace_back(item.key(), item.value().detach().clone());
}

// The weight of the new values follows from the number of images, so it does not depend on the batch size.
void Ema::Update(const torch::nn::Module& module, std::uint64_t images_of_step, std::uint64_t images_of_run) {
  if (!active()) return;
  torch::NoGradGuard no_grad;
  // The ramp-up: an average over a fixed number of images would contain the untrained weights for too long.
  const double half_life = std::min<double>(half_life_images_, std::max(kRampUp * images_of_run, 1.0));
  // 2^(-images / half-life) remains of the old average.
  const double fresh = 1 - std::exp2(-static_cast<double>(images_of_step) / half_life);
  std::vector<torch::Tensor> averages;
  for (const auto& item : averages_) averages.push_back(item.second);
  // The order is that of the constructor's named_parameters(), which module.parameters() has as well.
  at::_foreach_lerp_(averages, module.parameters(), fresh);
}

model::NamedTensors Ema::NamedState(const std::string& prefix) const {
  model::NamedTensors state;
  for (const auto& [name, average] : averages_) state.emplace_back(prefix + name, average);
  return state;
}

// Parameters are found by name: the target may be another object with the same layers.
void Ema::CopyTo(torch::nn::Module& module) const {
  torch::NoGradGuard no_grad;
  auto parameters = module.named_parameters();
  for (const auto& [name, average] : averages_) parameters[name].copy_(average);
}

// The momenta are restored afterwards, because training uses them.
void ReestimateStatistics(torch::nn::Sequential& generator, const torch::Tensor& latents, std::int64_t batch) {
  torch::NoGradGuard no_grad;
  std::vector<torch::nn::BatchNorm2dImpl*> norms;
  std::vector<std::optional<double>> momenta;
  for (const auto& module : generator->modules(/*include_self=*/false)) {
    auto* norm = module->as<torch::nn::BatchNorm2d>();
    if (norm == nullptr) continue;
    norm->reset_running_stats();
    momenta.push_back(norm->options.momentum());
    norm->options.momentum(std::nullopt);  // for PyTorch, no momentum means the plain mean over all batches
    norms.push_back(norm);
  }
  generator->train();
  for (const torch::Tensor& part : latents.split(batch)) generator->forward(part);
  generator->eval();
  for (std::size_t i = 0; i < norms.size(); ++i) norms[i]->options.momentum(momenta[i]);
}

}  // namespace gan::step
