#include "trainer/loss/feature_matching.h"

#include <torch/script.h>

#include "storage/errors.h"

namespace gan::loss {

namespace {

// The mean features of all layers in one vector, so that one all-reduce is enough.
torch::Tensor BatchMeans(const std::vector<torch::Tensor>& layers) {
  std::vector<torch::Tensor> means;
  means.reserve(layers.size());
  for (const torch::Tensor& layer : layers) means.push_back(layer.mean(0).flatten());
  return torch::cat(means);
}

// Accepts a tensor, a list or a tuple; other elements of a tuple are ignored.
std::vector<torch::Tensor> TensorsOf(const torch::IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  if (value.isTensorList()) return value.toTensorVector();
  std::vector<torch::Tensor> tensors;
  if (!value.isTuple()) return tensors;
  for (const torch::IValue& element : value.toTupleRef().elements()) {
    if (element.isTensor()) tensors.push_back(element.toTensor());
  }
  return tensors;
}

}  // namespace

torch::Tensor MatchFeatures(const std::vector<torch::Tensor>& real, const std::vector<torch::Tensor>& fake,
                            const MeanOverRanks& mean_over_ranks) {
  // Averaged before squaring: the square of a mean over all images is not the mean of the ranks' squares.
  const torch::Tensor squares = mean_over_ranks(BatchMeans(fake) - BatchMeans(real)).square();
  // Each layer has the same weight, whatever its number of features.
  torch::Tensor sum = torch::zeros({}, squares.options());
  std::int64_t first = 0;
  for (const torch::Tensor& layer : fake) {
    const std::int64_t length = layer[0].numel();
    sum = sum + squares.narrow(0, first, length).mean();
    first += length;
  }
  return sum;
}

struct FeatureExtractor::Network {
  mutable torch::jit::Module module;
};

// LibTorch's error contains a stack trace, which is of no use to the user.
FeatureExtractor::FeatureExtractor(const std::filesystem::path& file, torch::Device device)
    : file_(file), network_(std::make_unique<Network>()) {
  try {
    network_->module = torch::jit::load(file.string(), device);
  } catch (const c10::Error& error) {
    throw DataError(file, std::string("is not a TorchScript network: ") + error.what_without_backtrace());
  }
  // Batch norm in training mode would judge an image by the others of its batch.
  network_->module.eval();
  // Gradients flow through the network to the images, but not into its parameters.
  for (torch::Tensor parameter : network_->module.parameters()) parameter.set_requires_grad(false);
}

FeatureExtractor::~FeatureExtractor() = default;

std::vector<torch::Tensor> FeatureExtractor::operator()(const torch::Tensor& images) const {
  const std::vector<torch::Tensor> features = TensorsOf(network_->module.forward({images}));
  bool usable = !features.empty();
  for (const torch::Tensor& layer : features) usable = usable && layer.dim() > 0 && layer.size(0) == images.size(0);
  if (!usable) throw DataError(file_, "must return a tensor, or a tuple or list of tensors, with one row per image");
  return features;
}

}  // namespace gan::loss
