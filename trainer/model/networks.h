// The network of the DCGAN paper (Radford et al., 2016). One rule of widths gives the channels of every layer: feature
// maps with s x s pixels have features*64/s channels.
#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "trainer/model/network_options.h"

namespace gan::model {

// The rule of widths: features*64/side.
std::int64_t ChannelsAt(std::int64_t features, std::int64_t side);

// float [N, GeneratorInputs(), 1, 1] -> float [N, 3, resolution, resolution] in [-1, 1]. ConvTranspose2d(4,1,0) to 4x4,
// then layers of ConvTranspose2d(4,2,1), each doubling the side. Batch norm and ReLU follow all but the last, tanh ends
// the network, and there are no biases. Parameter names are those of the same nn.Sequential in PyTorch ("0.weight").
torch::nn::Sequential MakeGenerator(const NetworkOptions& options);

// float [N, 3, resolution, resolution] -> logits [N, 1, 1, 1]; Discriminate() reshapes them to [N, 1]. Layers of
// Conv2d(4,2,1) down to 2x2, with LeakyReLU(0.2), and with batch norm on all but the first; then average pooling and a
// 1x1 convolution. The sigmoid is part of the loss.
torch::nn::Sequential MakeDiscriminator(const NetworkOptions& options);
// The options can replace batch norm (layer norm over C, H and W, or instance norm over H and W, both with a scale and
// a shift per channel), add spectral normalisation, and multiply the channels by d_width.
// classes: float [N, classes] (classes.h); undefined for a D without classes.
torch::Tensor Discriminate(torch::nn::Sequential& discriminator, const torch::Tensor& images,
                           const torch::Tensor& classes = {});

// Images with their classes.
struct Labelled {
  torch::Tensor images, classes;
};

// The logits of two batches, as Discriminate() gives them for the first and then for the second, up to rounding: each
// batch is normalised by its own statistics. The convolutions run once on both, so each weight is read and transformed
// once, and its gradient is one product. Not for spectral normalisation, whose layers also change with each call.
std::pair<torch::Tensor, torch::Tensor> DiscriminateBoth(torch::nn::Sequential& discriminator, const Labelled& first,
                                                         const Labelled& second);

// The logits [N, 1], and the output of every LeakyReLU.
struct DiscriminatorOutput {
  torch::Tensor logits;
  std::vector<torch::Tensor> features;
};
DiscriminatorOutput DiscriminateWithFeatures(torch::nn::Sequential& discriminator, const torch::Tensor& images,
                                             const torch::Tensor& classes = {});

// While the object lives, the network's batch norms use their running statistics, so no sample's output depends on
// another sample. Gradients are computed as usual. Not for a network that is already in evaluation mode, because the
// destructor selects training mode.
class OnRunningStatistics {
 public:
  explicit OnRunningStatistics(torch::nn::Module& module) : module_(module) { module_.eval(); }
  ~OnRunningStatistics() { module_.train(); }
  OnRunningStatistics(const OnRunningStatistics&) = delete;
  OnRunningStatistics& operator=(const OnRunningStatistics&) = delete;

 private:
  torch::nn::Module& module_;
};

// Convolutions and D's class projection N(0, 0.02), G's class embedding N(0, 0.125), batch-norm scale N(1, 0.02) and
// shift 0 (Radford et al., "Unsupervised representation learning with deep convolutional GANs", ICLR 2016).
// The numbers come from the counter-based generator and are the same on every machine. `network`: 0 for G and 1 for D,
// so that their numbers are independent.
void InitialiseWeights(torch::nn::Module& module, std::uint64_t seed, std::uint64_t network);

// Freezes or unfreezes a network. A frozen network's parameters receive no gradient, but gradients flow through it.
void SetRequiresGrad(torch::nn::Module& module, bool requires_grad);

}  // namespace gan::model
