// The seed's DCGAN. One rule gives every width: feature maps of s x s pixels have features*64/s channels.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "trainer/model/network_options.h"

namespace gan::model {

// features*64/side.
std::int64_t ChannelsAt(std::int64_t features, std::int64_t side);

// float [N, noise_dim, 1, 1] -> float [N, 3, resolution, resolution] in [-1, 1].
// ConvTranspose2d(4,1,0) to 4x4, then ConvTranspose2d(4,2,1) doubling the side; batch norm and ReLU after each but the
// last, tanh at the end, no biases. Parameter names are those of the same nn.Sequential in PyTorch ("0.weight").
torch::nn::Sequential MakeGenerator(const NetworkOptions& options);

// float [N, 3, resolution, resolution] -> logits [N, 1, 1, 1]; Discriminate() gives them the shape [N, 1].
// Conv2d(4,2,1) down to 2x2 with LeakyReLU(0.2) and batch norm on all but the first, average pool, Conv2d 1x1.
// The sigmoid belongs to the loss.
torch::nn::Sequential MakeDiscriminator(const NetworkOptions& options);
// Options: another norm or none in place of batch norm (layer norm over C, H and W; instance norm over H and W, both
// with a scale and shift a channel), spectral normalisation, d_width times the channels.
torch::Tensor Discriminate(torch::nn::Sequential& discriminator, const torch::Tensor& images);

// The logits [N, 1] together with what leaves each LeakyReLU.
struct DiscriminatorOutput {
  torch::Tensor logits;
  std::vector<torch::Tensor> features;
};
DiscriminatorOutput DiscriminateWithFeatures(torch::nn::Sequential& discriminator, const torch::Tensor& images);

// In its scope a network stands on its running statistics, so no sample's output depends on another sample. Gradients
// are taken as usual. Not for a network that is in evaluation mode anyway.
class OnRunningStatistics {
 public:
  explicit OnRunningStatistics(torch::nn::Module& module) : module_(module) { module_.eval(); }
  ~OnRunningStatistics() { module_.train(); }
  OnRunningStatistics(const OnRunningStatistics&) = delete;
  OnRunningStatistics& operator=(const OnRunningStatistics&) = delete;

 private:
  torch::nn::Module& module_;
};

// Convolutions N(0, 0.02), batch-norm scale N(1, 0.02) and shift 0 (Radford et al., "Unsupervised representation
// learning with deep convolutional GANs", ICLR 2016), drawn from the counter-based generator: the same on every
// machine. `network` keeps the draws of G (0) and D (1) apart.
void InitialiseWeights(torch::nn::Module& module, std::uint64_t seed, std::uint64_t network);

// Freezing for the other network's phase: no gradient reaches the parameters, but gradients pass through.
void SetRequiresGrad(torch::nn::Module& module, bool requires_grad);

}  // namespace gan::model
