// The seed's loss: binary cross entropy on logits with smoothed labels for D and the non-saturating form for G
// (Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, section 3; smoothing: Salimans et al., "Improved
// techniques for training GANs", NeurIPS 2016, section 3.4).
#pragma once

#include <torch/torch.h>

namespace gan::loss {

struct BceOptions {
  double real_label = 0.9;
  double fake_label = 0.1;
};

// Scalars that keep their graph.
struct DiscriminatorLoss {
  torch::Tensor real;                                  // BCE(D(real), real_label)
  torch::Tensor fake;                                  // BCE(D(fake), fake_label)
  torch::Tensor Total() const { return real + fake; }  // one sum, one backward
};

// logits: float [N, 1].
DiscriminatorLoss BceDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                   const BceOptions& options);
torch::Tensor BceGenerator(const torch::Tensor& fake_logits);  // towards 1

// The values of D's total loss when it is perfect (floor) and when it cannot tell real from fake (ceiling): entropies
// that follow from the labels alone.
struct LossRange {
  double floor = 0;
  double ceiling = 0;
};
LossRange BceDiscriminatorRange(const BceOptions& options);

}  // namespace gan::loss
