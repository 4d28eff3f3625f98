#pragma once

#include <cstdint>

namespace gan::model {

// The normalisation after D's convolutions, except the first and the last.
enum class Norm { kBatch, kLayer, kInstance, kNone };

// How convolutions are computed. kAuto: by the implementation that is fastest for the shape (convolution.h). kTorch: by
// LibTorch, bit for bit as in PyTorch.
enum class ConvolutionPath { kAuto, kTorch };

struct NetworkOptions {
  std::int64_t resolution = 128;  // pixels per side: 64, 128 or 256
  std::int64_t features = 64;     // feature maps at 64x64 pixels
  std::int64_t d_features = 0;    // feature maps of D at 64x64 pixels; 0: equal to `features`
  std::int64_t noise_dim = 100;
  Norm d_norm = Norm::kBatch;
  bool spectral_norm = false;  // of D's convolutions
  std::int64_t classes = 0;    // 0: networks without classes
  std::int64_t d_width = 1;    // multiplies D's channels (widen.h)
  ConvolutionPath convolutions = ConvolutionPath::kAuto;

  // The length of a class's embedding. It makes G's first layer two thirds larger and a step less than 1 % slower.
  static constexpr std::int64_t kClassEmbedding = 64;

  // The channels of the input of G's first layer.
  std::int64_t GeneratorInputs() const { return noise_dim + (classes > 0 ? kClassEmbedding : 0); }
  std::int64_t DiscriminatorFeatures() const { return d_features > 0 ? d_features : features; }
};

// Throws UsageError when the resolution is not one of the three, or when the rule of widths (networks.h) gives a number
// of channels that is not a whole number.
void Validate(const NetworkOptions& options);

}  // namespace gan::model
