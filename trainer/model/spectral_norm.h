#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/options/conv.h>

namespace gan::model {

// A convolution without bias whose weight is divided by its largest singular value. One power iteration per forward in
// training mode estimates the value (Miyato et al., "Spectral normalization for generative adversarial networks", ICLR
// 2018, algorithm 1; torch.nn.utils.parametrizations.spectral_norm does the same). The singular vectors are the buffers
// "u" [out] and "v" [in*k*k]; they do not change in evaluation mode.
class SpectralConv2dImpl : public torch::nn::Cloneable<SpectralConv2dImpl> {
 public:
  explicit SpectralConv2dImpl(const torch::nn::Conv2dOptions& options);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input);
  // Iterates until u and v are close to the weight's singular vectors. Call it after setting the weight.
  void Converge();

  torch::Tensor weight;  // [out, in, k, k], not normalised

 private:
  void Iterate();
  torch::Tensor Matrix() const { return weight.flatten(1); }

  torch::nn::Conv2dOptions options_;
  torch::Tensor u_, v_;
};
TORCH_MODULE(SpectralConv2d);

}  // namespace gan::model
