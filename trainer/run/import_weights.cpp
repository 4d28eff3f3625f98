#include "trainer/run/import_weights.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <vector>

#include "checkpoint/weights_file.h"
#include "storage/errors.h"
#include "trainer/model/state.h"

namespace gan::run {

namespace {

using checkpoint::TensorView;
using checkpoint::WeightsFile;

std::string ShapeText(c10::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

// The message names the flags that determine the shape.
void Import(const TensorView& source, torch::Tensor target, const std::filesystem::path& file) {
  if (source.shape != target.sizes().vec()) {
    throw DataError(file, "tensor " + source.name + " has the shape " + ShapeText(source.shape) +
                              ", this run's network " + ShapeText(target.sizes()) +
                              "; see --resolution, --features and --noise-dim");
  }
  std::vector<float> values = checkpoint::ToFloats(source, file);
  // A NaN among the weights would show only later, as a run that diverges from its first step.
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    throw DataError(file, "tensor " + source.name + " holds a value that is not finite");
  }
  target.copy_(torch::from_blob(values.data(), target.sizes()));
}

// PyTorch's counter of batches in batch norm, which nothing here depends on.
bool IsCounter(const std::string& name) { return name.ends_with("num_batches_tracked"); }

void ImportNetwork(const WeightsFile& file, const std::string& prefix, const torch::nn::Module& network) {
  std::set<std::string> known;
  for (const auto& [name, target] : model::NamedState(network, prefix)) {
    known.insert(name);
    if (IsCounter(name)) continue;
    const TensorView* source = file.Find(name);
    if (source == nullptr) throw DataError(file.path(), "tensor " + name + " is missing");
    Import(*source, target, file.path());
  }
  // A tensor that the network lacks means that the file belongs to another network, even if all others fit.
  for (const auto& [name, tensor] : file.tensors()) {
    if (!name.starts_with(prefix) || IsCounter(name) || known.contains(name)) continue;
    throw DataError(file.path(), "this run's network has no tensor " + name);
  }
}

// The first layers of G and D have different shapes, which identifies the network.
bool FirstLayerFits(const WeightsFile& file, const std::string& prefix, const torch::nn::Module& network) {
  return file.Find(prefix + "0.weight")->shape == network.parameters().front().sizes().vec();
}

// Imports a file with one network: G or D, whichever has a first layer of the right shape.
std::string ImportOnly(const WeightsFile& file, step::Gan& gan) {
  const std::string prefix = file.PrefixOf("generator");
  for (const auto& [network, name] : {std::pair(gan.generator, "generator"), {gan.discriminator, "discriminator"}}) {
    if (!FirstLayerFits(file, prefix, *network)) continue;
    ImportNetwork(file, prefix, *network);
    return name;
  }
  throw DataError(file.path(), "tensor " + prefix + "0.weight has the shape " +
                                   ShapeText(file.Find(prefix + "0.weight")->shape) + "; the generator's is " +
                                   ShapeText(gan.generator->parameters().front().sizes()) + ", the discriminator's " +
                                   ShapeText(gan.discriminator->parameters().front().sizes()));
}

}  // namespace

std::string ImportWeights(const std::filesystem::path& path, step::Gan& gan) {
  torch::NoGradGuard no_grad;
  const WeightsFile file(path);
  std::string imported;
  for (const auto& [network, name] : {std::pair(gan.generator, "generator"), {gan.discriminator, "discriminator"}}) {
    const std::string prefix = std::string(name) + ".";
    if (file.Find(prefix + "0.weight") == nullptr) continue;
    ImportNetwork(file, prefix, *network);
    imported += (imported.empty() ? "" : " and ") + std::string(name);
  }
  if (imported.empty()) imported = ImportOnly(file, gan);
  // An average of the old weights would be wrong.
  gan.ema = step::Ema(*gan.generator, gan.options.ema_half_life_images);
  return "imported " + imported + " from " + path.string();
}

}  // namespace gan::run
