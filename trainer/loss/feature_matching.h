// Feature matching, a term of G's loss: the mean features of the generated images should equal those of the real images
// (Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 3.1). The features come from D's
// layers or from a network that the user provides; the latter is a perceptual loss without paired images.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace gan::loss {

// Returns the mean over all ranks, differentiable. The identity for one rank.
using MeanOverRanks = std::function<torch::Tensor(const torch::Tensor&)>;

// real, fake: the outputs [N, ...] of the same layers; those of real images have no graph. Returns the sum over layers
// of the mean squared difference between the batch means. The means are over the images of all ranks, so the result
// equals that of one rank with the joint batch.
torch::Tensor MatchFeatures(const std::vector<torch::Tensor>& real, const std::vector<torch::Tensor>& fake,
                            const MeanOverRanks& mean_over_ranks);

// A frozen TorchScript network. Calls on different objects may run in parallel.
class FeatureExtractor {
 public:
  // Throws DataError naming the file when it is not TorchScript.
  FeatureExtractor(const std::filesystem::path& file, torch::Device device);
  ~FeatureExtractor();
  // images: float [N, 3, R, R] in [-1, 1]. Gradients flow back to the images. Throws DataError unless the network
  // returns a tensor, or a tuple or list of tensors, with N rows each.
  std::vector<torch::Tensor> operator()(const torch::Tensor& images) const;

 private:
  struct Network;
  std::filesystem::path file_;
  std::unique_ptr<Network> network_;
};

}  // namespace gan::loss
