#include "trainer/step/device_statistics.h"

#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

namespace gan::step {

namespace {

// Every member, in the order of a row.
constexpr torch::Tensor DeviceStatistics::*kMembers[] = {
    &DeviceStatistics::loss_d_real,
    &DeviceStatistics::loss_d_fake,
    &DeviceStatistics::loss_g,
    &DeviceStatistics::penalty,
    &DeviceStatistics::matching,
    &DeviceStatistics::real_logits,
    &DeviceStatistics::fake_logits,
    &DeviceStatistics::real_distance,
    &DeviceStatistics::fake_distance,
    &DeviceStatistics::unaugmented_real_logits,
    &DeviceStatistics::unaugmented_fake_logits,
    &DeviceStatistics::real_class_distances,
    &DeviceStatistics::fake_class_distances,
    &DeviceStatistics::real_classes,
    &DeviceStatistics::fake_classes,
    &DeviceStatistics::discriminator_norm,
    &DeviceStatistics::generator_norm,
};

constexpr std::int64_t kAbsent = -1;

// The number in a tensor on the host.
double Number(const torch::Tensor& value) { return value.defined() ? *value.const_data_ptr<double>() : 0; }

std::optional<Update> ToUpdate(const torch::Tensor& norm) {
  if (!norm.defined()) return std::nullopt;
  return Update{.gradient_norm = Number(norm), .applied = std::isfinite(Number(norm))};
}

// The members as rows of float64.
DeviceStatistics Divided(const torch::Tensor& values, const std::vector<std::int64_t>& counts) {
  DeviceStatistics rows;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < std::size(kMembers); ++i) {
    if (counts[i] == kAbsent) continue;
    rows.*kMembers[i] = values.narrow(0, at, counts[i]);
    at += counts[i];
  }
  return rows;
}

}  // namespace

void DeviceStatistics::ClearDiscriminatorPhase() {
  loss_d_real = loss_d_fake = penalty = real_logits = fake_logits = torch::Tensor();
  real_classes = fake_classes = torch::Tensor();
}

StatisticsRow DeviceStatistics::Joined() const {
  StatisticsRow row;
  std::vector<torch::Tensor> flat;
  for (const auto member : kMembers) {
    const torch::Tensor& tensor = this->*member;
    row.counts.push_back(tensor.defined() ? tensor.numel() : kAbsent);
    if (tensor.defined()) flat.push_back(tensor.flatten().to(torch::kDouble));
  }
  row.values = torch::cat(flat);
  return row;
}

void StatisticsRow::ReadInto(StepResult& result, const torch::Tensor& host) const {
  const DeviceStatistics of = Divided(host, counts);
  result.loss_d_real = Number(of.loss_d_real);
  result.loss_d_fake = Number(of.loss_d_fake);
  result.loss_g = Number(of.loss_g);
  result.penalty = Number(of.penalty);
  result.matching = Number(of.matching);
  result.real_logits = of.real_logits;
  result.fake_logits = of.fake_logits;
  result.unaugmented_real_logits = of.unaugmented_real_logits;
  result.unaugmented_fake_logits = of.unaugmented_fake_logits;
  result.real_class_distances = of.real_class_distances;
  result.fake_class_distances = of.fake_class_distances;
  result.real_classes = of.real_classes;
  result.fake_classes = of.fake_classes;
  result.real_distance = Number(of.real_distance);
  result.fake_distance = Number(of.fake_distance);
  result.discriminator = ToUpdate(of.discriminator_norm);
  result.generator = ToUpdate(of.generator_norm);
}

void Add(torch::Tensor& sum, const torch::Tensor& term, double share) {
  // detach: a number that is only reported must not keep the graph of its step in memory.
  const torch::Tensor part = term.detach().to(torch::kDouble) * share;
  sum = sum.defined() ? sum + part : part;
}

void Append(torch::Tensor& all, const torch::Tensor& logits) {
  const torch::Tensor flat = logits.detach().flatten();
  all = all.defined() ? torch::cat({all, flat}) : flat;
}

}  // namespace gan::step
