// The terms of both losses that are not functions of logits alone.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/step/augment.h"
#include "trainer/step/gan.h"
#include "trainer/step/step_plan.h"

namespace gan::step {

// D's input images: augmented when the plan requires it. cursor: number of the batch's first image.
torch::Tensor AugmentAsPlanned(const torch::Tensor& images, const StepPlan& plan, std::uint64_t cursor,
                               AugmentKey::Use use);

bool HasPenalty(const StepPlan& plan);
// Gradient penalties on D's input images, computed with D's running statistics: a scalar with its graph. Call it after
// D's forwards on real and generated images, which update the statistics. Each image is judged as one of its class, and
// a mix of two images as one of both classes, in the same proportion. cursor: number of the first pair.
torch::Tensor Penalty(Gan& gan, const StepPlan& plan, const Labelled& real, const Labelled& fake, std::uint64_t cursor);

struct GeneratorTerms {
  torch::Tensor adversarial;
  torch::Tensor matching;  // undefined without feature matching
};
// G's loss on `fake` [N, 3, R, R]. Collective when features are matched.
GeneratorTerms GeneratorLossTerms(Gan& gan, const StepPlan& plan, const Batch& batch, const torch::Tensor& fake);

}  // namespace gan::step
