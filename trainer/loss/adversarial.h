// The adversarial losses of both networks. Each loss has a file with its formulas and its table row.
#pragma once

#include <torch/types.h>

#include <string_view>

#include "trainer/loss/loss_options.h"

namespace gan::loss {

// Scalars with their autograd graph.
struct DiscriminatorLoss {
  torch::Tensor real;                                  // the part on real images
  torch::Tensor fake;                                  // the part on generated images
  torch::Tensor Total() const { return real + fake; }  // one sum, one backward
};

// logits: float [N, 1], D's outputs before any sigmoid. Thread-safe.
struct AdversarialLoss {
  Kind kind;
  std::string_view name;         // value of --loss
  std::string_view description;  // for --help
  DiscriminatorLoss (*discriminator)(const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                     const Labels& labels);
  // real_logits: undefined unless generator_needs_reals.
  torch::Tensor (*generator)(const torch::Tensor& fake_logits, const torch::Tensor& real_logits);
  LossRange (*range)(const Labels& labels);
  bool generator_needs_reals = false;
  bool penalises_interpolates = false;  // adds WGAN-GP's gradient penalty, weighted by LossOptions::gradient_penalty
};

const AdversarialLoss& LossOf(Kind kind);

}  // namespace gan::loss
