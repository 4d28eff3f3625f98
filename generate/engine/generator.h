// A trained generator as plain numbers, from which pictures, safetensors and ONNX files are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gan::generate {

// Batch norm of each channel in evaluation mode: (x - mean) / sqrt(variance + epsilon) * scale + shift.
struct BatchNorm {
  std::vector<float> scale, shift, mean, variance;  // float [out]
};

inline constexpr double kBatchNormEpsilon = 1e-5;  // PyTorch's default

// ConvTranspose2d with 4x4 taps: the first layer makes 4x4 pixels of one (stride 1, no padding), every other layer
// doubles the side (stride 2, padding 1).
struct Layer {
  std::size_t in = 0, out = 0;    // channels
  std::vector<float> weight;      // float [in, out, 4, 4]
  std::vector<float> bias = {};   // float [out]; empty: no bias, as in gan-train's generators
  std::optional<BatchNorm> norm;  // followed by ReLU; absent on the last layer, which tanh follows
};

// The classes of a generator that was trained with --conditional. The row of a class is appended to the latent.
struct ClassTable {
  std::vector<std::string> names;
  std::size_t width = 0;
  std::vector<float> embedding;  // float [classes, width]

  std::span<const float> Row(std::size_t one) const { return std::span(embedding).subspan(one * width, width); }
};

// The DCGAN generator of trainer/model. It maps latents, float [N, noise_dim], each with the row of its class appended
// where there are classes, to pictures, float [N, 3, side, side] in [-1, 1].
struct Generator {
  std::vector<Layer> layers;
  std::optional<ClassTable> classes = {};  // one class: exported with the class folded in

  std::size_t inputs() const { return layers.front().in; }  // size of the first layer's input, per picture
  std::size_t noise_dim() const { return inputs() - (classes ? classes->width : 0); }
  std::size_t side() const { return std::size_t{4} << (layers.size() - 1); }
};

// The layer's place in the nn.Sequential (0, 3, 6, ...), which PyTorch's parameter names begin with; its batch norm
// follows at the next place.
constexpr std::size_t PlaceOf(std::size_t layer) { return 3 * layer; }

}  // namespace gan::generate
