// The terms of both losses that are not functions of logits alone.
#pragma once

#include <torch/types.h>

#include "trainer/step/gan.h"
#include "trainer/step/step_plan.h"

namespace gan::step {

// The numbers of a step on the device.
struct DeviceNumbers {
  DeviceNumbers(const StepNumbers& numbers, torch::Device device);
  // Overwrites the numbers at their places in memory.
  void CopyFrom(const DeviceNumbers& other);

  torch::Tensor lr_d, lr_g;           // as Adam takes them
  torch::Tensor augment_probability;  // as Augment() takes it
};

// A step's plan and its numbers.
struct Planned {
  const StepPlan& plan;
  const DeviceNumbers& numbers;
};

// D's input images: augmented with the batch's draws for `use` when the plan requires it.
torch::Tensor AugmentAsPlanned(const torch::Tensor& images, const Planned& planned, const Draws& draws, AugmentUse use);

bool HasPenalty(const StepPlan& plan);
// Gradient penalties on D's input images, computed with D's running statistics: a scalar with its graph. Call it after
// D's forwards on real and generated images, which update the statistics. Each image is judged as one of its class, and
// a mix of two images as one of both classes, in the same proportion. mix: Draws::mix of the pairs, which only WGAN-GP
// needs.
torch::Tensor Penalty(Gan& gan, const StepPlan& plan, const Labelled& real, const Labelled& fake,
                      const torch::Tensor& mix);

struct GeneratorTerms {
  torch::Tensor adversarial;
  torch::Tensor matching;  // undefined without feature matching
};
// G's loss on `fake` [N, 3, R, R]. Collective when features are matched.
GeneratorTerms GeneratorLossTerms(Gan& gan, const Planned& planned, const Batch& batch, const torch::Tensor& fake);

}  // namespace gan::step
