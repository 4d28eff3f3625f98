// The numbers of a step that are still on the device. Internal to this folder.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "trainer/step/train_step.h"

namespace gan::step {

// All numbers of a step, one after the other.
struct StatisticsRow {
  torch::Tensor values;              // float64 [sum of the counts that are present], on the device
  std::vector<std::int64_t> counts;  // per member of DeviceStatistics, in their order; negative: not part of this step

  // `host`: a copy of `values` on the CPU, which the tensors of `result` share. Fills all of `result` but its times and
  // its count of batches.
  void ReadInto(StepResult& result, const torch::Tensor& host) const;
};

// The host reads them once, at the end: every earlier read would leave a GPU idle while the host queues the next work.
struct DeviceStatistics {
  torch::Tensor loss_d_real, loss_d_fake, loss_g, penalty, matching;  // undefined: not part of this step
  torch::Tensor real_logits, fake_logits, real_distance, fake_distance;
  torch::Tensor unaugmented_real_logits, unaugmented_fake_logits;
  torch::Tensor real_class_distances, fake_class_distances, real_classes, fake_classes;
  torch::Tensor discriminator_norm, generator_norm;

  void ClearDiscriminatorPhase();
  // Joined on the device, because every copy to the host waits for the device once more.
  StatisticsRow Joined() const;
};

// sum + share * term, in float64 and without its graph; an undefined sum is 0.
void Add(torch::Tensor& sum, const torch::Tensor& term, double share);
// Appends all logits to a flat tensor, without their graph; an undefined one is empty.
void Append(torch::Tensor& all, const torch::Tensor& logits);

}  // namespace gan::step
