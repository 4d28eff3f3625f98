#include "trainer/run/observe.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "trainer/run/step_numbers.h"

namespace gan::run {

namespace {

// A view of the logits. For the size of a batch, a plain loop is faster than waking LibTorch's threads.
std::span<const double> Values(const torch::Tensor& row) {
  return {row.const_data_ptr<double>(), static_cast<std::size_t>(row.numel())};
}

constexpr double kNotMeasured = -1;  // the same on every rank, so the mean keeps the value

}  // namespace

// Sorting one side takes N log N steps, where comparing all pairs takes N².
double AreaUnderCurve(std::span<const double> a, std::span<const double> b) {
  std::vector<double> sorted;
  std::ranges::copy_if(b, std::back_inserter(sorted), [](double value) { return !std::isnan(value); });
  std::ranges::sort(sorted);
  double halves =
      // counted in halves: a won pair counts two, a tie one
      static_cast<double>(a.size() * (b.size() - sorted.size()));
  for (const double value : a) {
    const auto ties =
        std::ranges::equal_range(sorted, value);  // for a NaN: all values, since it is not less than any of them
    halves += static_cast<double>((ties.begin() - sorted.begin()) + (ties.end() - sorted.begin()));
  }
  return halves / (2 * static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

Observation Observe(const step::StepResult& result, bool augmented, bool stop_requested,
                    distributed::Communicator& communicator) {
  const std::span<const double> real = Values(result.real_logits), fake = Values(result.fake_logits);
  const double auc_augmented = AreaUnderCurve(real, fake);
  double auc = augmented ? kNotMeasured : auc_augmented;
  if (result.unaugmented_real_logits.defined()) {
    auc = AreaUnderCurve(Values(result.unaugmented_real_logits), Values(result.unaugmented_fake_logits));
  }
  const RankMeasurements measured{result, real, fake, auc_augmented, auc};
  // All numbers of the table are sent in one all-reduce, in the order of its rows.
  std::vector<double> packed = {stop_requested ? 1.0 : 0.0};
  for (const StepNumber& number : StepNumbers()) {
    if (number.of_rank != nullptr) packed.push_back(number.of_rank(measured));
  }
  // The request to stop is sent with the numbers: all ranks then stop after the same step, without another collective.
  torch::Tensor sums = torch::tensor(packed, torch::kDouble);
  communicator.AllReduce(sums);
  const double* sum = sums.const_data_ptr<double>();
  Observation seen;
  // The sum is positive if any rank has received a stop signal.
  seen.stop_requested = *sum++ > 0;
  for (const StepNumber& number : StepNumbers()) {
    if (number.of_rank == nullptr) continue;
    double& mean = number.member != nullptr ? seen.*number.member : seen.others[number.name];
    mean = *sum++ / communicator.size();
  }
  seen.loss_d = seen.loss_d_real + seen.loss_d_fake;
  return seen;
}

// The gradient norms are averaged already; everything else comes from the all-reduce.
balance::Signals ToSignals(const Observation& observation, const step::StepResult& result,
                           const loss::LossRange& range) {
  balance::Signals signals;
  signals.loss_d = observation.loss_d;
  signals.loss_g = observation.loss_g;
  signals.loss_d_floor = range.floor;
  signals.loss_d_ceiling = range.ceiling;
  signals.auc = observation.auc;
  signals.auc_augmented = observation.auc_augmented;
  signals.accuracy_real = observation.accuracy_real;
  signals.accuracy_fake = observation.accuracy_fake;
  signals.diversity = observation.diversity;
  signals.diversity_reference = observation.diversity_reference;
  if (result.generator) signals.grad_norm_g = result.generator->gradient_norm;
  if (result.discriminator) signals.grad_norm_d = result.discriminator->gradient_norm;
  // A network that was not trained has no update, which does not count as divergence.
  const auto applied = [](const std::optional<step::Update>& update) { return !update || update->applied; };
  signals.finite = applied(result.generator) && applied(result.discriminator) && std::isfinite(observation.loss_d) &&
                   std::isfinite(observation.loss_g);
  return signals;
}

}  // namespace gan::run
