#pragma once

#include <cstdint>

namespace gan::model {

struct NetworkOptions {
  std::int64_t resolution = 128;  // pixels a side: 64, 128 or 256
  std::int64_t features = 64;     // feature maps at 64x64 pixels
  std::int64_t noise_dim = 100;
};

// Throws UsageError when the resolution is not one of the three or the rule of widths gives no whole number of
// channels.
void Validate(const NetworkOptions& options);

}  // namespace gan::model
