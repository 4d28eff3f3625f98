#pragma once

#include <torch/torch.h>

#include <optional>
#include <string>
#include <vector>

#include "trainer/model/state.h"
#include "trainer/step/adam_options.h"

namespace gan::step {

// Adam (Kingma and Ba, ICLR 2015) through PyTorch's fused kernel, one call for all parameters, with its state in plain
// tensors: what a checkpoint keeps and what torch.optim.Adam(fused=True) keeps. Owns the moments, shares the
// parameters. Not thread-safe.
class Adam {
 public:
  Adam(const torch::OrderedDict<std::string, torch::Tensor>& parameters, const AdamOptions& options);

  // From here on the first beta is the configured one, but at most this. Not part of the saved state.
  void LimitBeta1(double most) { most_beta1_ = most; }
  // One update from the parameters' gradients. Every parameter must have one.
  void Step(double learning_rate);
  // The same, but none when `norm`, that of all gradients together (0-dim float64 on their device), is not finite; when
  // it is above clip_norm > 0, the gradients are divided by norm / clip_norm first. The host does not wait for a GPU.
  void Step(double learning_rate, const torch::Tensor& norm, double clip_norm);
  // Gradients are dropped, not filled with zeros: the next backward writes them afresh.
  void ClearGradients();
  // "<prefix>exp_avg.0.weight", "<prefix>exp_avg_sq.0.weight", "<prefix>steps".
  model::NamedTensors NamedState(const std::string& prefix) const;

 private:
  void Update(double learning_rate, const std::optional<torch::Tensor>& divisor,
              const std::optional<torch::Tensor>& skipped);

  AdamOptions options_;
  double most_beta1_ = 1;
  std::vector<std::string> names_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> first_moments_;
  std::vector<torch::Tensor> second_moments_;
  torch::Tensor steps_;  // float [parameters]: updates each has had; layers added by growth begin at 0
};

}  // namespace gan::step
