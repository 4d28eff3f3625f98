// Growing a network: determines which layers of a network for a higher resolution come from one for a lower resolution.
#pragma once

#include <optional>
#include <string>

#include <torch/nn/modules/container/sequential.h>

#include "trainer/model/network_options.h"

namespace gan::model {

// The name in the smaller network of the tensor that is called `name` ("9.weight") in the larger one. Empty when the
// layer is new. G keeps all layers before its last convolution and D all layers after its first; their widths agree by
// the rule of widths (networks.h). The layers that process RGB are dropped. With equal resolutions every name maps to
// itself.
std::optional<std::string> GeneratorSource(const std::string& name, const NetworkOptions& small,
                                           const NetworkOptions& large);
std::optional<std::string> DiscriminatorSource(const std::string& name, const NetworkOptions& small,
                                               const NetworkOptions& large);

// The part of G's tensor `name` that the smaller network's tensor fills. A conditional network that starts from one
// without classes has more inputs, those of the embedding.
torch::Tensor GeneratorPart(const std::string& name, const torch::Tensor& tensor, const NetworkOptions& small,
                            const NetworkOptions& large);

// Throws UsageError when `large` cannot have grown from `small`: its resolution is lower, the widths, the latent
// dimension or the norms differ, or it has other classes than `small`, which may have none.
void RequireGrowable(const NetworkOptions& small, const NetworkOptions& large);

// Initialises the new layers of a network that has grown by one octave so that it continues the smaller network's
// function at twice the size, similar to Net2Net (Chen et al., 2016). G's image is the smaller network's image enlarged
// bilinearly; D judges an image as the smaller network judged it at half the size. The smaller network's convolution at
// the RGB end, `rgb`, is carried in six channels, three of them negated, because ReLU removes half of each signal. The
// other channels keep their random initialisation. New norms are set to pass these channels unchanged, based on their
// statistics for `latents` [N, noise, 1, 1] or `images` [N, 3, R, R].
// The statistics of kept layers must be set before. With fewer than six channels nothing changes, and ContinueGenerator
// returns false. D must not use spectral norm, which would rescale the new weights.
bool ContinueGenerator(torch::nn::Sequential& generator, const torch::Tensor& rgb, const torch::Tensor& latents);
void ContinueDiscriminator(torch::nn::Sequential& discriminator, const torch::Tensor& rgb, const torch::Tensor& images);
// Makes conditional networks that start from networks without classes compute the same function as those, whatever the
// class: the embedding's part of G's first layer and D's projection become 0, which training changes at once. A
// spectral norm cannot scale 0, so with it the projection stays random.
void BeginClasses(torch::nn::Sequential& generator, torch::nn::Sequential& discriminator, const NetworkOptions& large);

// The names of the convolutions at the RGB end: the last one of G, the first one of D.
std::string RgbOfGenerator(const NetworkOptions& options);
inline constexpr const char* kRgbOfDiscriminator = "0.weight";

}  // namespace gan::model
