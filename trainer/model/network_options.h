#pragma once

#include <cstdint>

namespace gan::model {

// What follows D's convolutions (all but the first and the last).
enum class Norm { kBatch, kLayer, kInstance, kNone };

// Who chooses how a convolution is computed: we, by its shape (convolution.h), or LibTorch, bit for bit as in PyTorch.
enum class ConvolutionPath { kAuto, kTorch };

struct NetworkOptions {
  std::int64_t resolution = 128;  // pixels a side: 64, 128 or 256
  std::int64_t features = 64;     // feature maps at 64x64 pixels
  std::int64_t d_features = 0;    // the same for D; 0: as `features`
  std::int64_t noise_dim = 100;
  Norm d_norm = Norm::kBatch;
  bool spectral_norm = false;  // of D's convolutions
  std::int64_t d_width = 1;    // D's channels as multiples of the rule's (widen.h)
  ConvolutionPath convolutions = ConvolutionPath::kAuto;

  std::int64_t DiscriminatorFeatures() const { return d_features > 0 ? d_features : features; }
};

// Throws UsageError when the resolution is not one of the three or the rule of widths gives no whole number of
// channels.
void Validate(const NetworkOptions& options);

}  // namespace gan::model
