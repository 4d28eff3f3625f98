#include "trainer/model/growth.h"

#include <bit>

#include "storage/errors.h"

namespace gan::model {

namespace {

constexpr std::int64_t kGeneratorBlock = 3;  // convolution, norm, ReLU

std::int64_t Octaves(const NetworkOptions& small, const NetworkOptions& large) {
  return std::countr_zero(static_cast<std::uint64_t>(large.resolution)) -
         std::countr_zero(static_cast<std::uint64_t>(small.resolution));
}

struct LayerName {
  std::int64_t layer;
  std::string rest;  // ".weight"
};

LayerName Parse(const std::string& name) {
  const std::size_t dot = name.find('.');
  return {std::stoll(name.substr(0, dot)), name.substr(dot)};
}

}  // namespace

std::optional<std::string> GeneratorSource(const std::string& name, const NetworkOptions& small,
                                           const NetworkOptions& large) {
  if (Octaves(small, large) == 0) return name;
  const std::int64_t blocks_before_rgb = std::countr_zero(static_cast<std::uint64_t>(small.resolution)) - 2;
  return Parse(name).layer < kGeneratorBlock * blocks_before_rgb ? std::optional(name) : std::nullopt;
}

std::optional<std::string> DiscriminatorSource(const std::string& name, const NetworkOptions& small,
                                               const NetworkOptions& large) {
  const std::int64_t octaves = Octaves(small, large);
  if (octaves == 0) return name;
  constexpr std::int64_t kFirstBlock = 2;  // convolution and LeakyReLU
  const std::int64_t block = large.d_norm == Norm::kNone ? 2 : 3;
  const auto [layer, rest] = Parse(name);
  const std::int64_t source = layer - octaves * block;
  return source >= kFirstBlock ? std::optional(std::to_string(source) + rest) : std::nullopt;
}

void RequireGrowable(const NetworkOptions& small, const NetworkOptions& large) {
  const bool same = small.features == large.features &&
                    small.DiscriminatorFeatures() == large.DiscriminatorFeatures() &&
                    small.noise_dim == large.noise_dim && small.d_norm == large.d_norm &&
                    small.spectral_norm == large.spectral_norm && small.d_width == large.d_width;
  if (!same) {
    throw UsageError("--init-from: features, noise, D's norm and D's width must be those of the checkpoint");
  }
  if (large.resolution < small.resolution) {
    throw UsageError("--init-from: a checkpoint of " + std::to_string(small.resolution) + " px cannot start a run at " +
                     std::to_string(large.resolution) + " px; networks only grow");
  }
}

}  // namespace gan::model
