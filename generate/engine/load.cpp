#include "generate/engine/load.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/weights_file.h"
#include "generate/engine/classes.h"
#include "generate/engine/facts.h"
#include "generate/engine/kernels.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/parse_json.h"

namespace gan::generate {

namespace fs = std::filesystem;
using checkpoint::TensorView;

namespace {

constexpr const char* kExportedWeights = "generator.safetensors";
constexpr const char* kClassEmbedding = "class_embedding.weight";

// Where a generator's tensors are found. For Builder, this is the only difference between a checkpoint, an exported
// folder and a file of weights.
struct Source {
  fs::path file;
  std::function<const TensorView*(const std::string& name)> find;  // by PyTorch's name; null when there is none
  std::vector<std::string> names = {};                             // PyTorch's names of all tensors of the generator
};

class Builder {
 public:
  explicit Builder(Source source) : source_(std::move(source)), first_(BeginsWithAClass() ? 1 : 0) {}

  Generator Build() const {
    Generator generator;
    while (source_.find(Name(Place(generator.layers.size()), "weight")) != nullptr) {
      generator.layers.push_back(ReadLayer(generator.layers.size()));
      RequireChain(generator);
    }
    const std::size_t count = generator.layers.size();
    if (count == 0) throw DataError(source_.file, "holds no generator: no tensor is named 0.weight");
    RequireNothingElse(generator);
    generator.classes = first_ > 0 ? ReadFoldedClass(generator.inputs()) : ReadClasses(generator.inputs());
    if (generator.layers.back().norm || generator.layers.back().out != 3) {
      throw DataError(source_.file,
                      "the generator's last layer, " + Name(Place(count - 1), "weight") + ", does not make RGB");
    }
    return generator;
  }

 private:
  static std::string Name(std::size_t place, const char* what) { return std::to_string(place) + "." + what; }

  std::size_t Place(std::size_t layer) const { return first_ + PlaceOf(layer); }

  // A class that --export --class has folded in precedes the layers, as a convolution of one pixel.
  bool BeginsWithAClass() const {
    const TensorView* weight = source_.find(Name(0, "weight"));
    return weight != nullptr && weight->shape.size() == 4 && weight->shape[2] == 1 && weight->shape[3] == 1;
  }

  // Its weight passes the latent through, and its bias appends the embedding.
  ClassTable ReadFoldedClass(std::size_t inputs) const {
    const TensorView& view = *source_.find(Name(0, "weight"));
    const std::vector<float> weight = Numbers(view);
    const std::vector<float> bias = Vector(Name(0, "bias"), inputs);
    const auto noise = static_cast<std::size_t>(view.shape[1]);
    // The engine appends the class to the latent itself, so this layer must be exactly the unit matrix with a bias.
    bool passes = view.shape[0] == static_cast<std::int64_t>(inputs) && noise > 0 && noise < inputs;
    for (std::size_t i = 0; passes && i < weight.size(); ++i) {
      passes = weight[i] == (i / noise == i % noise ? 1.0F : 0.0F) && (i / noise >= noise || bias[i / noise] == 0);
    }
    if (!passes) throw DataError(source_.file, "tensor " + view.name + " does not append a class to the latent");
    const auto row = bias.begin() + static_cast<std::ptrdiff_t>(noise);
    return {.names = {"0"}, .width = inputs - noise, .embedding = {row, bias.end()}};
  }

  // A file of weights holds no names of classes.
  std::optional<ClassTable> ReadClasses(std::size_t inputs) const {
    const TensorView* embedding = source_.find(kClassEmbedding);
    if (embedding == nullptr) return std::nullopt;
    const auto& shape = embedding->shape;
    if (shape.size() != 2 || shape[0] < 2 || shape[1] < 1 || shape[1] >= static_cast<std::int64_t>(inputs)) {
      throw DataError(source_.file, "tensor " + embedding->name + " has a shape that does not fit the first layer");
    }
    ClassTable classes{.names = {}, .width = static_cast<std::size_t>(shape[1]), .embedding = Numbers(*embedding)};
    for (std::int64_t i = 0; i < shape[0]; ++i) classes.names.push_back(std::to_string(i));
    return classes;
  }

  Layer ReadLayer(std::size_t number) const {
    const std::string name = Name(Place(number), "weight");
    const TensorView& weight = *source_.find(name);
    if (weight.shape.size() != 4 || weight.shape[2] != 4 || weight.shape[3] != 4 || weight.shape[0] < 1 ||
        weight.shape[1] < 1) {
      throw DataError(source_.file, "tensor " + weight.name + " is no transposed convolution of 4x4 taps");
    }
    Layer layer;
    layer.in = static_cast<std::size_t>(weight.shape[0]);
    layer.out = static_cast<std::size_t>(weight.shape[1]);
    layer.weight = Numbers(weight);
    const std::string bias = Name(Place(number), "bias");
    if (source_.find(bias) != nullptr) layer.bias = Vector(bias, layer.out);
    const std::size_t place = Place(number) + 1;
    if (source_.find(Name(place, "weight")) != nullptr) layer.norm = ReadNorm(place, layer.out);
    return layer;
  }

  BatchNorm ReadNorm(std::size_t place, std::size_t size) const {
    const std::string variance = Name(place, "running_var");
    BatchNorm norm{Vector(Name(place, "weight"), size), Vector(Name(place, "bias"), size),
                   Vector(Name(place, "running_mean"), size), Vector(variance, size)};
    if (std::any_of(norm.variance.begin(), norm.variance.end(), [](float v) { return v < 0; })) {
      throw DataError(source_.file, "tensor " + variance + " holds a variance below zero");
    }
    return norm;
  }

  std::vector<float> Vector(const std::string& name, std::size_t size) const {
    const TensorView* tensor = source_.find(name);
    if (tensor == nullptr) throw DataError(source_.file, "tensor " + name + " is missing");
    std::vector<float> values = Numbers(*tensor);
    if (values.size() != size) {
      throw DataError(source_.file, "tensor " + tensor->name + " has another size than its layer");
    }
    return values;
  }

  std::vector<float> Numbers(const TensorView& tensor) const {
    std::vector<float> values = checkpoint::ToFloats(tensor, source_.file);
    const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad == values.end()) return values;
    throw DataError(source_.file,
                    "tensor " + tensor.name + " is not finite at number " + std::to_string(bad - values.begin()));
  }

  void RequireChain(const Generator& generator) const {
    const std::size_t count = generator.layers.size();
    if (generator.side() > 2 * kMostSide) throw DataError(source_.file, "the generator makes pictures beyond 256 px");
    if (count < 2) return;
    const Layer& before = generator.layers[count - 2];
    if (before.out != generator.layers[count - 1].in || !before.norm) {
      throw DataError(source_.file, "tensor " + Name(Place(count - 1), "weight") + " does not fit the layer before it");
    }
  }

  // A tensor that this program does not know could change every picture.
  void RequireNothingElse(const Generator& generator) const {
    std::set<std::string> known = {kClassEmbedding};
    if (first_ > 0) known = {Name(0, "weight"), Name(0, "bias")};
    for (std::size_t i = 0; i < generator.layers.size(); ++i) {
      for (const char* what : {"weight", "bias"}) known.insert(Name(Place(i), what));
      if (!generator.layers[i].norm) continue;
      for (const char* what : {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}) {
        known.insert(Name(Place(i) + 1, what));
      }
    }
    for (const std::string& name : source_.names) {
      if (known.contains(name)) continue;
      throw DataError(source_.file, "tensor " + name + " is no part of a DCGAN generator, which alone is known here");
    }
  }

  Source source_;
  std::size_t first_;  // the place of the first layer
};

// Throws DataError when names are missing or their number is wrong.
void NameClasses(const nlohmann::json& names, const fs::path& file, Generator& generator) {
  std::vector<std::string> all;
  for (const nlohmann::json& name : names.is_array() ? names : nlohmann::json::array()) {
    if (!name.is_string()) throw DataError(file, "a class has no name");
    all.push_back(name.get<std::string>());
  }
  if (all.size() != generator.classes->names.size()) {
    throw DataError(file, "names " + storage::Counted(all.size(), "class", "classes") + ", the generator has " +
                              std::to_string(generator.classes->names.size()));
  }
  generator.classes->names = std::move(all);
}

std::vector<std::string> NamesBelow(const std::string& prefix, const checkpoint::TensorsByName& tensors) {
  std::vector<std::string> names;
  for (const auto& item : tensors) {
    if (item.first.starts_with(prefix)) names.push_back(item.first.substr(prefix.size()));
  }
  return names;
}

bool HoldsWeights(const TensorView& tensor) {
  return tensor.dtype == "F32" || tensor.dtype == "F64" || tensor.dtype == "F16" || tensor.dtype == "BF16";
}

// In an nn.Sequential every name begins with a number. Other weights below the same parent would belong to the same
// module. Tensors of other types (counters, quantised copies) or below another parent belong to other modules.
std::vector<std::string> NamesOfNetwork(const checkpoint::WeightsFile& file, const std::string& prefix) {
  std::vector<std::string> names = NamesBelow(prefix, file.tensors());
  const auto is_numbered = [](const std::string& name) { return name.find_first_of("0123456789") == 0; };
  if (prefix == "generator.") return names;
  if (prefix.empty()) {
    std::erase_if(names,
                  [&](const std::string& name) { return !is_numbered(name) && !HoldsWeights(*file.Find(name)); });
    return names;
  }
  const std::size_t dot = prefix.rfind('.', prefix.size() - 2);
  const std::string parent = dot == std::string::npos ? "" : prefix.substr(0, dot + 1);
  for (const auto& [name, tensor] : file.tensors()) {
    if (name.starts_with(parent) && !name.starts_with(prefix) && HoldsWeights(tensor)) names.push_back(name);
  }
  return names;
}

TrainedGenerator LoadCheckpoint(const fs::path& folder, Weights weights) {
  const checkpoint::Checkpoint saved = checkpoint::Load(folder);
  const checkpoint::TensorsByName tensors = checkpoint::ViewByName(saved.tensors);
  const bool kept = tensors.contains("generator_ema.0.weight");
  if (weights == Weights::kEma && !kept) {
    throw UsageError("--weights ema: " + folder.string() + " holds no moving average; the run had --ema 0");
  }
  TrainedGenerator trained;
  trained.averaged = kept && weights != Weights::kRaw;
  trained.statistics_measured = !trained.averaged;
  trained.source = folder;
  trained.from_checkpoint = true;
  const fs::path run = fs::absolute(folder).lexically_normal().parent_path().parent_path();
  if (fs::exists(run / "stats.jsonl")) trained.run = run;
  nlohmann::json facts = {{"step", saved.step}, {"images", saved.images}, {"lineage", saved.lineage}};
  if (saved.state.contains("options")) facts["options"] = saved.state.at("options");
  trained.facts = CheckedFacts(std::move(facts), folder);
  const auto find = [&](const std::string& name) -> const TensorView* {
    // Only parameters have an average. LoadReady() measures the running statistics that belong to it.
    auto found = trained.averaged ? tensors.find("generator_ema." + name) : tensors.end();
    if (found == tensors.end()) found = tensors.find("generator." + name);
    return found == tensors.end() ? nullptr : &found->second;
  };
  trained.generator = Builder({folder, find, NamesBelow("generator.", tensors)}).Build();
  const auto classes = ParseClasses(saved.state.value("classes", nlohmann::json::array()), trained.generator, folder);
  if (classes.empty()) return trained;
  for (std::size_t i = 0; i < classes.size(); ++i) trained.generator.classes->names[i] = classes[i].name;
  const bool uniform =
      trained.facts.value("options", nlohmann::json::object()).value("class_sampling", "") == "uniform";
  trained.training_classes = {classes, uniform ? data::ClassSampling::kUniform : data::ClassSampling::kData};
  return trained;
}

TrainedGenerator LoadWeightsFile(const fs::path& file) {
  const checkpoint::WeightsFile weights(file);
  const std::string prefix = weights.PrefixOf("generator");
  TrainedGenerator trained;
  trained.source = file;
  const auto find = [&](const std::string& name) { return weights.Find(prefix + name); };
  trained.generator = Builder({file, find, NamesOfNetwork(weights, prefix)}).Build();
  // After everything was copied, because pages that cannot be read would have become zeros.
  weights.RequireRead();
  return trained;
}

TrainedGenerator LoadExported(const fs::path& folder, Weights weights) {
  TrainedGenerator trained = LoadWeightsFile(folder / kExportedWeights);
  const fs::path config = folder / "config.json";
  if (!fs::exists(config)) return trained;
  const auto parsed = storage::ParseJson(storage::ReadFile(config), config);
  if (!parsed.is_object()) throw DataError(config, "is not a JSON object");
  trained.facts = CheckedFacts(parsed.value("training", nlohmann::json::object()), config);
  trained.averaged = parsed.value("weights", nlohmann::json()) == "ema";
  if (trained.generator.classes) NameClasses(parsed.value("classes", nlohmann::json()), config, trained.generator);
  if ((weights == Weights::kEma && !trained.averaged) || (weights == Weights::kRaw && trained.averaged)) {
    throw UsageError("--weights: " + folder.string() + " was exported with the other kind of weights");
  }
  return trained;
}

}  // namespace

TrainedGenerator Load(const fs::path& path, Weights weights) {
  if (!fs::exists(path)) throw DataError(path, "no such file or folder");
  if (fs::is_regular_file(path)) return LoadWeightsFile(path);
  const bool is_run = fs::is_directory(path / "checkpoints");
  // Weights that were exported into the folder of a run may be those of an earlier step than its newest checkpoint.
  if (!is_run && fs::exists(path / kExportedWeights)) return LoadExported(path, weights);
  if (!is_run) return LoadCheckpoint(path, weights);
  const auto found = checkpoint::ListCheckpoints(path / "checkpoints");
  if (found.empty()) throw DataError(path, "holds no checkpoint yet");
  return LoadCheckpoint(found.front(), weights);
}

}  // namespace gan::generate
