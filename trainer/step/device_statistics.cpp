#include "trainer/step/device_statistics.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

namespace gan::step {

namespace {

// Of a value on the host.
double Number(const torch::Tensor& value) { return value.defined() ? *value.const_data_ptr<double>() : 0; }

std::optional<Update> ToUpdate(const torch::Tensor& norm) {
  if (!norm.defined()) return std::nullopt;
  return Update{.gradient_norm = Number(norm), .applied = std::isfinite(Number(norm))};
}

}  // namespace

void DeviceStatistics::ClearDiscriminatorPhase() {
  loss_d_real = loss_d_fake = penalty = real_logits = fake_logits = torch::Tensor();
  real_classes = fake_classes = torch::Tensor();
}

// Copies everything at once. The fields become rows of float64.
void DeviceStatistics::CopyToHost() {
  std::vector<torch::Tensor*> fields;
  for (torch::Tensor* field :
       {&loss_d_real, &loss_d_fake, &loss_g, &penalty, &matching, &real_logits, &fake_logits, &real_distance,
        &fake_distance, &unaugmented_real_logits, &unaugmented_fake_logits, &real_class_distances,
        &fake_class_distances, &real_classes, &fake_classes, &discriminator_norm, &generator_norm}) {
    if (field->defined()) fields.push_back(field);
  }
  // Joined on the device, because every copy to the host waits for the device once more.
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor* field : fields) flat.push_back(field->flatten().to(torch::kDouble));
  const torch::Tensor all = torch::cat(flat).to(torch::kCPU);
  std::int64_t at = 0;
  for (torch::Tensor* field : fields) {
    const std::int64_t count = field->numel();
    *field = all.narrow(0, at, count);
    at += count;
  }
}

void DeviceStatistics::ReadInto(StepResult& result) {
  CopyToHost();
  result.loss_d_real = Number(loss_d_real);
  result.loss_d_fake = Number(loss_d_fake);
  result.loss_g = Number(loss_g);
  result.penalty = Number(penalty);
  result.matching = Number(matching);
  result.real_logits = real_logits;
  result.fake_logits = fake_logits;
  result.unaugmented_real_logits = unaugmented_real_logits;
  result.unaugmented_fake_logits = unaugmented_fake_logits;
  result.real_class_distances = real_class_distances;
  result.fake_class_distances = fake_class_distances;
  result.real_classes = real_classes;
  result.fake_classes = fake_classes;
  result.real_distance = Number(real_distance);
  result.fake_distance = Number(fake_distance);
  result.discriminator = ToUpdate(discriminator_norm);
  result.generator = ToUpdate(generator_norm);
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
