#include "generate/project/discriminator.h"

#include <algorithm>
#include <cmath>

#include "checkpoint/checkpoint.h"
#include "checkpoint/weights_file.h"
#include "generate/engine/kernels.h"
#include "storage/errors.h"

namespace gan::project {

using checkpoint::TensorView;

namespace {

constexpr const char* kPrefix = "discriminator.";

class Builder {
 public:
  Builder(const std::filesystem::path& source, const checkpoint::TensorsByName& tensors, SampleNorm sample_norm)
      : source_(source), tensors_(tensors), sample_norm_(sample_norm) {}

  // Places count as in the nn.Sequential: a convolution, a norm where there is one, LeakyReLU.
  Discriminator Build() const {
    Discriminator discriminator;
    std::size_t place = 0;
    while (const TensorView* weight = Convolution(place)) {
      DiscriminatorLayer layer = ReadConvolution(place++, weight->shape);
      if (!discriminator.layers.empty() && layer.in != discriminator.layers.back().out) {
        throw DataError(source_, "tensor " + Name(place - 1, "weight") + " does not fit the layer before it");
      }
      // A norm's weight is a vector and a convolution's has four dimensions, so they can be distinguished where D has
      // no norm.
      const TensorView* norm = Find(place, "weight");
      if (norm != nullptr && norm->shape.size() == 1) ReadNorm(place++, layer);
      discriminator.layers.push_back(std::move(layer));
      ++place;  // LeakyReLU
    }
    return discriminator;
  }

 private:
  static std::string Name(std::size_t place, const std::string& what) {
    return kPrefix + std::to_string(place) + "." + what;
  }

  const TensorView* Find(std::size_t place, const std::string& what) const {
    const auto found = tensors_.find(Name(place, what));
    return found == tensors_.end() ? nullptr : &found->second;
  }

  // The convolution's weight; null when the layer at this place is of another kind.
  const TensorView* Convolution(std::size_t place) const {
    const TensorView* weight = Find(place, "weight");
    if (weight == nullptr || weight->shape.size() != 4) return nullptr;
    return weight->shape[2] == 4 && weight->shape[3] == 4 ? weight : nullptr;
  }

  std::vector<float> Read(std::size_t place, const std::string& what, std::size_t size) const {
    const TensorView* tensor = Find(place, what);
    if (tensor == nullptr) throw DataError(source_, "tensor " + Name(place, what) + " is missing");
    std::vector<float> values = checkpoint::ToFloats(*tensor, source_);
    if (values.size() != size) throw DataError(source_, "tensor " + tensor->name + " has another size than its layer");
    const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad != values.end()) throw DataError(source_, "tensor " + tensor->name + " is not finite");
    return values;
  }

  DiscriminatorLayer ReadConvolution(std::size_t place, const std::vector<std::int64_t>& shape) const {
    DiscriminatorLayer layer;
    layer.out = static_cast<std::size_t>(shape[0]);
    layer.in = static_cast<std::size_t>(shape[1]);
    layer.weight = Read(place, "weight", layer.out * layer.in * generate::kTaps);
    if (Find(place, "u") != nullptr) DivideBySingularValue(place, layer);
    layer.shift.assign(layer.out, 0);
    return layer;
  }

  // Spectral normalisation in evaluation mode: divides by u^T W v, with the vectors that training stored
  // (trainer/model).
  void DivideBySingularValue(std::size_t place, DiscriminatorLayer& layer) const {
    const std::size_t depth = layer.in * generate::kTaps;
    const std::vector<float> u = Read(place, "u", layer.out), v = Read(place, "v", depth);
    double sigma = 0;
    for (std::size_t i = 0; i < layer.weight.size(); ++i) {
      sigma += double{u[i / depth]} * double{layer.weight[i]} * double{v[i % depth]};
    }
    for (float& weight : layer.weight) weight = static_cast<float>(double{weight} / sigma);
  }

  void ReadNorm(std::size_t place, DiscriminatorLayer& layer) const {
    layer.scale = Read(place, "weight", layer.out);
    layer.shift = Read(place, "bias", layer.out);
    // Layer and instance norm compute their statistics from each image, so they cannot be folded into weights.
    if (Find(place, "running_var") == nullptr) {
      layer.norm = sample_norm_;
      return;
    }
    const std::vector<float> mean = Read(place, "running_mean", layer.out);
    const std::vector<float> variance = Read(place, "running_var", layer.out);
    const std::size_t depth = layer.in * generate::kTaps;
    for (std::size_t c = 0; c < layer.out; ++c) {
      const double factor = double{layer.scale[c]} / std::sqrt(double{variance[c]} + generate::kBatchNormEpsilon);
      for (std::size_t k = 0; k < depth; ++k) {
        layer.weight[c * depth + k] = static_cast<float>(double{layer.weight[c * depth + k]} * factor);
      }
      layer.shift[c] = static_cast<float>(double{layer.shift[c]} - double{mean[c]} * factor);
    }
  }

  const std::filesystem::path& source_;
  const checkpoint::TensorsByName& tensors_;
  SampleNorm sample_norm_;
};

SampleNorm SampleNormOf(const generate::TrainedGenerator& trained) {
  const auto options = trained.facts.find("options");
  const bool instance = options != trained.facts.end() && options->value("d_norm", "layer") == "instance";
  return instance ? SampleNorm::kInstance : SampleNorm::kLayer;
}

}  // namespace

std::optional<Discriminator> LoadDiscriminator(const generate::TrainedGenerator& trained) {
  if (!trained.from_checkpoint) return std::nullopt;
  const checkpoint::Checkpoint saved = checkpoint::Load(trained.source);
  const checkpoint::TensorsByName tensors = checkpoint::ViewByName(saved.tensors);
  Discriminator discriminator = Builder(trained.source, tensors, SampleNormOf(trained)).Build();
  const std::size_t halvings = discriminator.layers.size();
  // Another network under these names is not an error: the projection then uses pixels alone.
  const bool fits =
      halvings > 0 && discriminator.layers.front().in == 3 && std::size_t{2} << halvings == trained.generator.side();
  if (!fits) return std::nullopt;
  return discriminator;
}

}  // namespace gan::project
