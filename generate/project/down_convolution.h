// DCGAN's convolution that halves a map (4x4 taps, stride 2, padding 1), on all threads of the caller's TBB arena. It
// is the gradient of the generator's transposed convolution with respect to its input, and the discriminator consists
// of it. Maps are stored as Layout::kBlocks of generate/engine/convolution.h.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace gan::project {

class DownConvolution {
 public:
  // weight: float [rows, channels, 4, 4], of an nn::Conv2d, or of an nn::ConvTranspose2d whose gradient is computed.
  // small_side: side of the halved map, a power of two, at least 4.
  DownConvolution(std::span<const float> weight, std::size_t rows, std::size_t channels, std::size_t small_side);

  std::size_t rows() const { return rows_; }
  std::size_t small_pixels() const { return side_ * side_; }

  // large: N maps of `channels` channels and 2s x 2s pixels; small: N maps of `rows` channels and s x s pixels.
  void Run(const float* large, std::size_t images, float* small) const;

 private:
  struct Task;
  void RunTask(const Task& task) const;
  void Split(const Task& task, float* planes) const;
  void FillPatches(const Task& task, const float* planes, std::size_t first_channel, std::size_t channels,
                   float* patches) const;
  void Multiply(const Task& task, const float* patches, std::size_t first_channel, std::size_t channels) const;

  std::size_t rows_, channels_, side_;
  std::vector<float> packed_;  // [groups of 16 rows][channels][16 taps][16 rows], zeros for missing rows
};

// The gradient of the generator's first layer, whose input is one pixel: float [N, channels, 16 pixels] -> [N, rows].
class FirstLayerGradient {
 public:
  FirstLayerGradient(std::span<const float> weight, std::size_t rows, std::size_t channels);
  void Run(const float* maps, std::size_t images, float* latents) const;

 private:
  std::size_t rows_, depth_;
  std::vector<float> packed_;  // [groups of 16 rows][channels * 16 taps][16 rows]
};

}  // namespace gan::project
