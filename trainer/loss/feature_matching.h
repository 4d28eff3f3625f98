// A term of G's loss: the mean features of fakes shall be those of reals (feature matching, Salimans et al., "Improved
// techniques for training GANs", NeurIPS 2016, section 3.1), in D's own layers or in those of a user's network, a
// perceptual term without pairs.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace gan::loss {

// The mean over all ranks, differentiable; the identity where there is one rank.
using MeanOverRanks = std::function<torch::Tensor(const torch::Tensor&)>;

// real, fake: the same layers' outputs [N, ...], reals without graph. Sum over layers of the mean squared difference of
// the batch means, each over the images of all ranks: what one rank with the joined batch has.
torch::Tensor MatchFeatures(const std::vector<torch::Tensor>& real, const std::vector<torch::Tensor>& fake,
                            const MeanOverRanks& mean_over_ranks);

// A frozen TorchScript network. Thread-compatible.
class FeatureExtractor {
 public:
  // Throws DataError naming the file when it is not TorchScript.
  FeatureExtractor(const std::filesystem::path& file, torch::Device device);
  ~FeatureExtractor();
  // images: float [N, 3, R, R] in [-1, 1]. Gradients pass through to the images. Throws DataError when the network
  // gives anything but a tensor, or a tuple or list of tensors, of N rows each.
  std::vector<torch::Tensor> operator()(const torch::Tensor& images) const;

 private:
  struct Network;
  std::filesystem::path file_;
  std::unique_ptr<Network> network_;
};

}  // namespace gan::loss
