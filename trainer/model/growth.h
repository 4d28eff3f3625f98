// Growth: the layers that a network for a higher resolution takes over from one for a lower.
#pragma once

#include <optional>
#include <string>

#include <torch/torch.h>

#include "trainer/model/network_options.h"

namespace gan::model {

// Which tensor of the smaller network belongs where `name` ("9.weight") is in the larger one; nothing where the layer
// is new. G keeps all layers before its last convolution, D all after its first (their widths agree by the rule of
// widths); the layers that touch RGB are dropped. For equal resolutions every name is its own source.
std::optional<std::string> GeneratorSource(const std::string& name, const NetworkOptions& small,
                                           const NetworkOptions& large);
std::optional<std::string> DiscriminatorSource(const std::string& name, const NetworkOptions& small,
                                               const NetworkOptions& large);

// Throws UsageError when `large` cannot have grown from `small`: a lower resolution, other widths, noise or norms.
void RequireGrowable(const NetworkOptions& small, const NetworkOptions& large);

// Lets the new layers of a network that has grown by one octave begin as what the smaller network did, at twice the
// size, in the way of Net2Net (Chen et al., 2016): G's picture is the smaller one's enlarged (bilinear), D judges a
// picture by its half. The smaller network's convolution at the RGB end, `rgb`, goes on in six channels, three with the
// sign turned, since ReLU lets half of each pass; the others stay as they were initialised. New norms are set so that
// they pass these channels on unchanged, by what they see of `latents` [N, noise, 1, 1] or `images` [N, 3, R, R].
// Statistics of kept layers must be in place. Nothing changes where there are fewer than six channels (G: false then).
// D must be without spectral norm, which would scale what is put in.
bool ContinueGenerator(torch::nn::Sequential& generator, const torch::Tensor& rgb, const torch::Tensor& latents);
void ContinueDiscriminator(torch::nn::Sequential& discriminator, const torch::Tensor& rgb, const torch::Tensor& images);
// Where the convolutions at the RGB end stand: in G the last, in D the first.
std::string RgbOfGenerator(const NetworkOptions& options);
inline constexpr const char* kRgbOfDiscriminator = "0.weight";

}  // namespace gan::model
