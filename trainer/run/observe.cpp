#include "trainer/run/observe.h"

#include <cmath>

namespace gan::run {

double AreaUnderCurve(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor difference = a.unsqueeze(1) - b.unsqueeze(0);
  return torch::sign(difference).to(torch::kDouble).mean().item<double>() / 2 + 0.5;
}

Observation Observe(const step::StepResult& result, bool stop_requested, distributed::Communicator& communicator) {
  const torch::Tensor& real = result.real_logits;
  const torch::Tensor& fake = result.fake_logits;
  const auto mean = [](const torch::Tensor& t) { return t.to(torch::kDouble).mean().item<double>(); };
  torch::Tensor packed = torch::tensor(
      {result.loss_d_real, result.loss_d_fake, result.loss_g, mean(torch::sigmoid(real)), mean(torch::sigmoid(fake)),
       mean(real > 0), mean(fake < 0), AreaUnderCurve(real, fake), stop_requested ? 1.0 : 0.0, result.penalty,
       result.matching, result.fake_distance, result.real_distance},
      torch::kDouble);
  communicator.AllReduce(packed);
  const double* sums = packed.data_ptr<double>();
  const double ranks = communicator.size();
  Observation seen;
  seen.loss_d_real = sums[0] / ranks;
  seen.loss_d_fake = sums[1] / ranks;
  seen.loss_d = seen.loss_d_real + seen.loss_d_fake;
  seen.loss_g = sums[2] / ranks;
  seen.real_mean = sums[3] / ranks;
  seen.fake_mean = sums[4] / ranks;
  seen.accuracy_real = sums[5] / ranks;
  seen.accuracy_fake = sums[6] / ranks;
  seen.auc = sums[7] / ranks;
  seen.penalty_d = sums[9] / ranks;
  seen.matching_g = sums[10] / ranks;
  seen.stop_requested = sums[8] > 0;
  seen.diversity = sums[11] / ranks;
  seen.diversity_reference = sums[12] / ranks;
  return seen;
}

balance::Signals ToSignals(const Observation& observation, const step::StepResult& result,
                           const loss::LossRange& range) {
  balance::Signals signals;
  signals.loss_d = observation.loss_d;
  signals.loss_g = observation.loss_g;
  signals.loss_d_floor = range.floor;
  signals.loss_d_ceiling = range.ceiling;
  signals.auc = observation.auc;
  signals.accuracy_real = observation.accuracy_real;
  signals.accuracy_fake = observation.accuracy_fake;
  signals.diversity = observation.diversity;
  signals.diversity_reference = observation.diversity_reference;
  if (result.generator) signals.grad_norm_g = result.generator->gradient_norm;
  if (result.discriminator) signals.grad_norm_d = result.discriminator->gradient_norm;
  const auto applied = [](const std::optional<step::Update>& update) { return !update || update->applied; };
  signals.finite = applied(result.generator) && applied(result.discriminator) && std::isfinite(observation.loss_d) &&
                   std::isfinite(observation.loss_g);
  return signals;
}

}  // namespace gan::run
