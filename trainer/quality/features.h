// What images are compared by: one row of numbers an image.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <memory>

namespace gan::quality {

// A fixed random convolutional network (4x4, stride 2, LeakyReLU; 16, 32, 64 maps; mean over places), the same on every
// machine: coarse but free of downloads, and of any taste for photographs (Naeem et al., ICML 2020, use one likewise).
class RandomFeatures {
 public:
  explicit RandomFeatures(torch::Device device);
  torch::Tensor operator()(const torch::Tensor& images) const;  // float [N, 3, R, R] in [-1, 1] -> [N, 64]

 private:
  std::vector<torch::Tensor> weights_;
};

// A user's Inception as TorchScript, for FID and KID: pixels float [N, 3, R, R] in [0, 255] -> features [N, D]. The
// public inception-2015-12-05.pt is asked for its features by its own argument `return_features`.
class InceptionFeatures {
 public:
  // Throws DataError naming the file when it is not TorchScript.
  InceptionFeatures(const std::filesystem::path& file, torch::Device device);
  ~InceptionFeatures();
  // images: float [N, 3, R, R] in [-1, 1], brought to whole pixel values. Throws DataError on other shapes than [N, D].
  torch::Tensor operator()(const torch::Tensor& images) const;

 private:
  struct Network;
  std::filesystem::path file_;
  std::unique_ptr<Network> network_;
};

}  // namespace gan::quality
