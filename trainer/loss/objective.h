// The losses of both networks by name. One small file holds each formula.
#pragma once

#include <torch/torch.h>

#include "trainer/loss/bce.h"
#include "trainer/loss/loss_options.h"

namespace gan::loss {

// logits: float [N, 1], scores of a critic for kWganGp. Scalars that keep their graph. Only kBce has use for labels.
DiscriminatorLoss Discriminator(Kind kind, const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                const BceOptions& labels);

// real_logits: needed (and else ignored) when GeneratorNeedsReals(kind).
torch::Tensor Generator(Kind kind, const torch::Tensor& fake_logits, const torch::Tensor& real_logits);
bool GeneratorNeedsReals(Kind kind);

// Both 0 when the loss has no bounds.
LossRange DiscriminatorRange(Kind kind, const BceOptions& labels);

}  // namespace gan::loss
