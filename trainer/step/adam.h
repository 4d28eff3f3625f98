#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "trainer/model/state.h"
#include "trainer/step/adam_options.h"

namespace gan::step {

// Adam (Kingma and Ba, ICLR 2015) with PyTorch's fused kernel, one call for all parameters. Its state is a list of
// plain tensors, which a checkpoint stores and which match the state of torch.optim.Adam(fused=True). Owns the moments,
// shares the parameters. Not thread-safe.
class Adam {
 public:
  Adam(const torch::OrderedDict<std::string, torch::Tensor>& parameters, const AdamOptions& options);

  // Limits the first beta to `most` from now on. Not part of the saved state.
  void LimitBeta1(double most) { most_beta1_ = most; }
  // One update with the parameters' gradients. Every parameter must have a gradient. The rate is as LearningRateType()
  // describes it.
  void Step(const torch::Tensor& learning_rate);
  // One update with `norm`, the norm of all gradients together (0-dim float64 on their device). Makes no update when
  // `norm` is not finite. When `norm` exceeds clip_norm > 0, divides the gradients by norm / clip_norm first. Does not
  // wait for a GPU.
  void Step(const torch::Tensor& learning_rate, const torch::Tensor& norm, double clip_norm);
  // Removes the gradients instead of filling them with zeros: the next backward allocates them again.
  void ClearGradients();
  // "<prefix>exp_avg.0.weight", "<prefix>exp_avg_sq.0.weight", "<prefix>steps". The first two have the shape of the
  // parameter; a name without a further dot is a list of one number per parameter. --init-from relies on it.
  model::NamedTensors NamedState(const std::string& prefix) const;

 private:
  void Update(const torch::Tensor& learning_rate, const std::optional<torch::Tensor>& divisor,
              const std::optional<torch::Tensor>& skipped);

  AdamOptions options_;
  double most_beta1_ = 1;
  std::vector<std::string> names_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> first_moments_;
  std::vector<torch::Tensor> second_moments_;
  torch::Tensor steps_;  // float [parameters]: number of updates per parameter; layers added by growth begin at 0
};

// Type of a learning rate on `device`, a 0-dim tensor there: PyTorch's kernel reads float32 on GPUs and float64 on
// CPUs.
torch::ScalarType LearningRateType(torch::Device device);

}  // namespace gan::step
