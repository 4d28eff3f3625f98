#include "trainer/model/growth.h"

#include <bit>
#include <vector>

#include "storage/counted.h"
#include "storage/errors.h"
#include "trainer/model/classes.h"
#include "trainer/model/state.h"

namespace gan::model {

namespace {

constexpr std::int64_t kGeneratorBlock = 3;  // convolution, norm, ReLU

// The number of times the resolution doubles.
std::int64_t Octaves(const NetworkOptions& small, const NetworkOptions& large) {
  return std::countr_zero(static_cast<std::uint64_t>(large.resolution)) -
         std::countr_zero(static_cast<std::uint64_t>(small.resolution));
}

// The name of a parameter, split into the number of its layer and the rest.
struct LayerName {
  std::int64_t layer;
  std::string rest;  // ".weight"
};

LayerName Parse(const std::string& name) {
  const std::size_t dot = name.find('.');
  return {std::stoll(name.substr(0, dot)), name.substr(dot)};
}

constexpr std::int64_t kRgb = 3;
using torch::indexing::Slice;

// A separable 4x4 kernel: bilinear interpolation in G's transposed convolution, averaging in D's convolution.
torch::Tensor Taps(const std::vector<double>& taps, const torch::Tensor& like) {
  const torch::Tensor one = torch::tensor(taps, like.options());
  return torch::outer(one, one);
}

// The indices of the layers in `network` that contain a convolution.
std::vector<std::size_t> Convolutions(const torch::nn::Sequential& network) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < network->size(); ++i) {
    for (const auto& item : network->ptr(i)->named_parameters(/*recurse=*/true)) {
      if (item.value().dim() == 4) places.push_back(i);
    }
  }
  return places;
}

// The layer may be a plain convolution or one with spectral norm; both call it "weight".
torch::Tensor WeightOf(const torch::nn::Sequential& network, std::size_t layer) {
  return network->ptr(layer)->named_parameters()["weight"];
}

// Runs the first `layers` layers in evaluation mode.
torch::Tensor Forward(torch::nn::Sequential& network, torch::Tensor value, std::size_t layers) {
  network->eval();
  std::size_t i = 0;
  for (torch::nn::AnyModule& layer : *network) {
    if (i++ == layers) break;
    value = layer.forward(value);
  }
  network->train();
  return value;
}

// Sets the norm at `layer` so that it does not change the first `channels` channels of its input `seen` [N, C, H, W].
// Does nothing for a layer without parameters.
void PassOn(const torch::nn::Sequential& network, std::size_t layer, const torch::Tensor& seen, std::int64_t channels) {
  const torch::Tensor mean = seen.mean({0, 2, 3}), variance = seen.var({0, 2, 3}, /*unbiased=*/false);
  const Slice kept(0, channels);
  for (auto& [name, tensor] : NamedState(*network->ptr(layer), "")) {
    if (name == "weight") tensor.index_put_({kept}, variance.sqrt().index({kept}));
    if (name == "bias") tensor.index_put_({kept}, mean.index({kept}));
    if (name == "running_mean") tensor.copy_(mean);
    if (name == "running_var") tensor.copy_(variance);
  }
}

}  // namespace

std::string RgbOfGenerator(const NetworkOptions& options) {
  return std::to_string(kGeneratorBlock * (std::countr_zero(static_cast<std::uint64_t>(options.resolution)) - 2)) +
         ".weight";
}

// The convolution before the last one computes the smaller network's image, from `rgb` [in, 3, 4, 4], with both signs;
// the last convolution combines the signs and enlarges the image.
bool ContinueGenerator(torch::nn::Sequential& generator, const torch::Tensor& rgb, const torch::Tensor& latents) {
  torch::NoGradGuard no_grad;
  const auto places = Convolutions(generator);
  const std::size_t at = places[places.size() - 2];
  torch::Tensor weight = WeightOf(generator, at), last = WeightOf(generator, places.back());
  // The image needs both signs, in six separate ReLU channels. A network with fewer channels has no space for them.
  if (weight.size(1) < 2 * kRgb) return false;
  weight.index_put_({Slice(), Slice(0, kRgb)}, rgb);
  weight.index_put_({Slice(), Slice(kRgb, 2 * kRgb)}, -rgb);
  // Batch norm subtracts a mean and divides by a deviation. With the same values as its shift and scale, it returns its
  // input unchanged, as long as the statistics are those of these latents.
  PassOn(generator, at + 1, Forward(generator, latents, at + 1), 2 * kRgb);
  // Doubling the side, a bilinear pixel lies a quarter of the way between two source pixels.
  const torch::Tensor enlarge = Taps({0.25, 0.75, 0.75, 0.25}, last);
  // Other channels must not contribute to a colour, so all weights of the six channels are set to 0 first.
  last.index_put_({Slice(0, 2 * kRgb)}, 0.0);
  for (std::int64_t c = 0; c < kRgb; ++c) {
    last.index_put_({c, c}, enlarge);
    last.index_put_({c + kRgb, c}, -enlarge);
  }
  return true;
}

// The first convolution halves the image, with both signs; the second one applies the smaller network's `rgb` [out, 3,
// 4, 4]. After LeakyReLU with slope 0.2, the difference between the two signs is 1.2 times the image.
void ContinueDiscriminator(torch::nn::Sequential& discriminator, const torch::Tensor& rgb,
                           const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  const auto places = Convolutions(discriminator);
  torch::Tensor first = WeightOf(discriminator, places[0]), weight = WeightOf(discriminator, places[1]);
  if (first.size(0) < 2 * kRgb) return;
  // The mean of 2×2 pixels, in the middle of the 4×4 kernel.
  const torch::Tensor halve = Taps({0, 0.5, 0.5, 0}, first);
  first.index_put_({Slice(0, 2 * kRgb)}, 0.0);
  for (std::int64_t c = 0; c < kRgb; ++c) {
    first.index_put_({c, c}, halve);
    first.index_put_({c + kRgb, c}, -halve);
  }
  constexpr double kBoth = 1.2;
  weight.index_put_({Slice(), Slice(0, kRgb)}, rgb / kBoth);
  weight.index_put_({Slice(), Slice(kRgb, 2 * kRgb)}, -rgb / kBoth);
  const std::size_t norm = places[1] + 1;  // or LeakyReLU if D has no norm
  PassOn(discriminator, norm, Forward(discriminator, images, norm), weight.size(0));
}

std::optional<std::string> GeneratorSource(const std::string& name, const NetworkOptions& small,
                                           const NetworkOptions& large) {
  const bool is_new = IsOfClasses(name) && small.classes == 0;
  if (is_new) return std::nullopt;
  if (Octaves(small, large) == 0 || IsOfClasses(name)) return name;
  // G's layers are numbered from the latents on, so the kept layers have the same numbers in both networks.
  const std::int64_t blocks_before_rgb = std::countr_zero(static_cast<std::uint64_t>(small.resolution)) - 2;
  return Parse(name).layer < kGeneratorBlock * blocks_before_rgb ? std::optional(name) : std::nullopt;
}

std::optional<std::string> DiscriminatorSource(const std::string& name, const NetworkOptions& small,
                                               const NetworkOptions& large) {
  const std::int64_t octaves = Octaves(small, large);
  const bool is_new = IsOfClasses(name) && small.classes == 0;
  if (is_new) return std::nullopt;
  if (octaves == 0 || IsOfClasses(name)) return name;
  constexpr std::int64_t kFirstBlock = 2;  // convolution and LeakyReLU
  const std::int64_t block = large.d_norm == Norm::kNone ? 2 : 3;
  const auto [layer, rest] = Parse(name);
  // D's layers are numbered from the image on, so the new layers shift the numbers of the kept ones.
  const std::int64_t source = layer - octaves * block;
  return source >= kFirstBlock ? std::optional(std::to_string(source) + rest) : std::nullopt;
}

torch::Tensor GeneratorPart(const std::string& name, const torch::Tensor& tensor, const NetworkOptions& small,
                            const NetworkOptions& large) {
  const bool longer = name == "0.weight" && small.classes == 0 && large.classes > 0;
  return longer ? tensor.narrow(0, 0, large.noise_dim) : tensor;
}

void BeginClasses(torch::nn::Sequential& generator, torch::nn::Sequential& discriminator, const NetworkOptions& large) {
  torch::NoGradGuard no_grad;
  generator->named_parameters()["0.weight"].narrow(0, large.noise_dim, NetworkOptions::kClassEmbedding).zero_();
  if (!large.spectral_norm) discriminator->named_parameters()[kClassProjectionWeight].zero_();
}

// Layers are copied by name, so all other properties of the networks must agree.
void RequireGrowable(const NetworkOptions& small, const NetworkOptions& large) {
  const bool same = small.features == large.features &&
                    small.DiscriminatorFeatures() == large.DiscriminatorFeatures() &&
                    small.noise_dim == large.noise_dim && small.d_norm == large.d_norm &&
                    small.spectral_norm == large.spectral_norm && small.d_width == large.d_width;
  if (!same) {
    throw UsageError("--init-from: features, noise, D's norm and D's width must be those of the checkpoint");
  }
  if (small.classes > 0 && small.classes != large.classes) {
    throw UsageError("--init-from: the networks of the checkpoint know " +
                     storage::Counted(small.classes, "class", "classes") + ", those of this run " +
                     (large.classes == 0 ? "none; add --conditional" : std::to_string(large.classes)));
  }
  if (large.resolution < small.resolution) {
    throw UsageError("--init-from: a checkpoint of " + std::to_string(small.resolution) + " px cannot start a run at " +
                     std::to_string(large.resolution) + " px; networks only grow");
  }
}

}  // namespace gan::model
