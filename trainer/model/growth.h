// Growth: the layers that a network for a higher resolution takes over from one for a lower.
#pragma once

#include <optional>
#include <string>

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

}  // namespace gan::model
