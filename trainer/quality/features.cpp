#include "trainer/quality/features.h"

#include <torch/script.h>

#include <cmath>
#include <unordered_map>
#include <vector>

#include "storage/errors.h"
#include "trainer/data/sampler.h"

namespace gan::quality {

namespace {

constexpr std::int64_t kMaps[] = {3, 16, 32, 64};
constexpr std::int64_t kKernel = 4;
constexpr std::uint64_t kNetworkSeed = 20260101;  // part of the definition of the measures: must never change

// Whether the network's forward has an argument with this name.
bool Takes(const torch::jit::Module& module, const std::string& argument) {
  for (const c10::Argument& a : module.get_method("forward").function().getSchema().arguments()) {
    if (a.name() == argument) return true;
  }
  return false;
}

}  // namespace

// The weights come from the counter-based generator, so that all machines compute the same features.
RandomFeatures::RandomFeatures(torch::Device device) {
  for (std::size_t layer = 0; layer + 1 < std::size(kMaps); ++layer) {
    torch::Tensor weight = torch::empty({kMaps[layer + 1], kMaps[layer], kKernel, kKernel});
    data::FillNormal(weight.data_ptr<float>(), static_cast<std::uint64_t>(weight.numel()), kNetworkSeed,
                     data::Stream::kQuality, layer, 1);
    const double deviation = std::sqrt(2.0 / static_cast<double>(weight[0].numel()));  // He et al., ICCV 2015
    weights_.push_back((weight * deviation).to(device));
  }
}

// The mean over positions makes the features independent of where a structure is in the image.
torch::Tensor RandomFeatures::operator()(const torch::Tensor& images) const {
  torch::NoGradGuard no_grad;
  torch::Tensor value = images.to(weights_.front().options());
  for (const torch::Tensor& weight : weights_) {
    value = torch::leaky_relu(torch::conv2d(value, weight, {}, 2, 1), 0.2);
  }
  return value.mean({2, 3});
}

struct InceptionFeatures::Network {
  mutable torch::jit::Module module;
  torch::Device device;
  std::unordered_map<std::string, torch::IValue> arguments;
};

// The argument return_features exists only in the public file, not in other networks.
InceptionFeatures::InceptionFeatures(const std::filesystem::path& file, torch::Device device) : file_(file) {
  try {
    network_ = std::make_unique<Network>(Network{torch::jit::load(file.string(), device), device, {}});
  } catch (const c10::Error& error) {
    throw DataError(file, std::string("is not a TorchScript network: ") + error.what_without_backtrace());
  }
  network_->module.eval();
  if (Takes(network_->module, "return_features")) network_->arguments["return_features"] = true;
}

InceptionFeatures::~InceptionFeatures() = default;

torch::Tensor InceptionFeatures::operator()(const torch::Tensor& images) const {
  torch::NoGradGuard no_grad;
  // Inception was trained on whole pixel values, as they are read from image files. The pixels are rounded like those
  // of a PNG, so the result equals that of tools that read files.
  const torch::Tensor pixels = images.to(network_->device, torch::kFloat).add(1).mul(127.5).add(0.5).floor();
  const torch::IValue result = network_->module.forward({pixels.clamp(0, 255)}, network_->arguments);
  if (!result.isTensor() || result.toTensor().dim() != 2 || result.toTensor().size(0) != images.size(0)) {
    throw DataError(file_, "must give one tensor [N, D]: a row of features for each image");
  }
  return result.toTensor().to(torch::kFloat);
}

}  // namespace gan::quality
