// Features by which images are compared: one row of numbers per image.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>

namespace gan::quality {

// A fixed random convolutional network (4x4 kernels, stride 2, LeakyReLU; 16, 32 and 64 maps; mean over positions), the
// same on every machine. Its features are coarse, but it needs no download and does not favour photographs. Naeem et
// al. (ICML 2020) use a random network as well.
class RandomFeatures {
 public:
  explicit RandomFeatures(torch::Device device);
  torch::Tensor operator()(const torch::Tensor& images) const;  // float [N, 3, R, R] in [-1, 1] -> [N, 64]

 private:
  std::vector<torch::Tensor> weights_;
};

// An Inception network in TorchScript that the user provides, for FID and KID: float pixels [N, 3, R, R] in [0, 255] ->
// features [N, D]. The public file inception-2015-12-05.pt returns features when its argument `return_features` is set,
// which this class does.
class InceptionFeatures {
 public:
  // Throws DataError naming the file when it is not TorchScript.
  InceptionFeatures(const std::filesystem::path& file, torch::Device device);
  ~InceptionFeatures();
  // images: float [N, 3, R, R] in [-1, 1]; they are rounded to whole pixel values. Throws DataError for features of a
  // shape other than [N, D].
  torch::Tensor operator()(const torch::Tensor& images) const;

 private:
  struct Network;
  std::filesystem::path file_;
  std::unique_ptr<Network> network_;
};

}  // namespace gan::quality
