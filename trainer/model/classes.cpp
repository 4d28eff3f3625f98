#include "trainer/model/classes.h"

#include <string>

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include "trainer/model/spectral_norm.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

constexpr const char* kEmbedding = "class_embedding";
constexpr const char* kProjection = "class_projection";

// Null when the network has none.
std::shared_ptr<nn::Module> Find(const nn::Sequential& network, const char* name) {
  const auto children = network->named_children();
  const auto* found = children.find(name);
  return found == nullptr ? nullptr : *found;
}

}  // namespace

torch::Tensor OneHot(const std::vector<std::uint32_t>& classes, std::size_t count) {
  torch::Tensor rows = torch::zeros({std::ssize(classes), static_cast<std::int64_t>(count)});
  auto* values = rows.data_ptr<float>();
  for (std::size_t i = 0; i < classes.size(); ++i) values[i * count + classes[i]] = 1;
  return rows;
}

void AddClassEmbedding(nn::Sequential& generator, const NetworkOptions& options) {
  if (options.classes == 0) return;
  // Registered beside the layers, not among them: forward() of a Sequential would call it, and the layers' numbers,
  // which are the names of the tensors in every file, would change.
  generator->register_module(kEmbedding,
                             nn::Embedding(nn::EmbeddingOptions(options.classes, NetworkOptions::kClassEmbedding)));
}

void AddClassProjection(nn::Sequential& discriminator, const NetworkOptions& options, std::int64_t channels) {
  if (options.classes == 0) return;
  if (options.spectral_norm) {
    discriminator->register_module(kProjection,
                                   // A 1×1 convolution serves as the Linear layer, because spectral norm exists for
                                   // convolutions.
                                   SpectralConv2d(nn::Conv2dOptions(channels, options.classes, 1).bias(false)));
  } else {
    discriminator->register_module(kProjection, nn::Linear(nn::LinearOptions(channels, options.classes).bias(false)));
  }
}

bool IsOfClasses(const std::string& name) { return name.starts_with("class_"); }

// A product with the rows of a one-hot matrix, because the gradient of a look-up is summed in no fixed order on a GPU.
torch::Tensor GeneratorInput(const nn::Sequential& generator, const torch::Tensor& latents,
                             const torch::Tensor& classes) {
  const auto embedding = Find(generator, kEmbedding);
  if (embedding == nullptr) return latents;
  TORCH_CHECK(classes.defined(), "a conditional generator needs the classes of its images");
  const torch::Tensor rows = classes.matmul(embedding->as<nn::Embedding>()->weight);
  return torch::cat({latents, rows.to(latents.scalar_type()).view({latents.size(0), -1, 1, 1})}, 1);
}

torch::Tensor ClassTerm(const nn::Sequential& discriminator, const torch::Tensor& last, const torch::Tensor& classes) {
  const auto projection = Find(discriminator, kProjection);
  TORCH_CHECK((projection != nullptr) == classes.defined(), "a conditional discriminator needs classes, and only it");
  if (projection == nullptr) return {};
  // The mean over the pixels is the input of D's own last layer, so class and image are judged from the same features.
  const torch::Tensor pooled = last.mean({2, 3});
  torch::Tensor of_all;  // [N, classes]
  if (auto* spectral = projection->as<SpectralConv2d>()) {
    of_all = spectral->forward(pooled.unsqueeze(2).unsqueeze(3)).flatten(1);
  } else {
    of_all = projection->as<nn::Linear>()->forward(pooled);
  }
  return (of_all * classes).sum(1, /*keepdim=*/true);
}

}  // namespace gan::model
