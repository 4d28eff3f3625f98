#include "trainer/generate/load.h"

#include <functional>
#include <span>

#include "storage/errors.h"
#include "storage/files.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/weights_file.h"
#include "trainer/generate/kernels.h"

namespace gan::generate {

namespace fs = std::filesystem;
using checkpoint::TensorView;

namespace {

constexpr const char* kExportedWeights = "generator.safetensors";

// Finds a tensor by its PyTorch name; null when there is none.
using Lookup = std::function<const TensorView*(const std::string& name)>;

class Builder {
 public:
  Builder(const fs::path& file, Lookup find) : file_(file), find_(std::move(find)) {}

  Generator Build() const {
    Generator generator;
    while (find_(Name(PlaceOf(generator.layers.size()), "weight")) != nullptr) {
      generator.layers.push_back(ReadLayer(generator.layers.size()));
      RequireChain(generator);
    }
    const std::size_t count = generator.layers.size();
    if (count == 0) throw DataError(file_, "holds no generator: no tensor is named 0.weight");
    if (generator.layers.back().norm || generator.layers.back().out != 3) {
      throw DataError(file_,
                      "the generator's last layer, " + Name(PlaceOf(count - 1), "weight") + ", does not make RGB");
    }
    return generator;
  }

 private:
  static std::string Name(std::size_t place, const char* what) { return std::to_string(place) + "." + what; }

  Layer ReadLayer(std::size_t number) const {
    const std::string name = Name(PlaceOf(number), "weight");
    const TensorView& weight = *find_(name);
    if (weight.shape.size() != 4 || weight.shape[2] != 4 || weight.shape[3] != 4 || weight.shape[0] < 1 ||
        weight.shape[1] < 1) {
      throw DataError(file_, "tensor " + weight.name + " is no transposed convolution of 4x4 taps");
    }
    Layer layer;
    layer.in = static_cast<std::size_t>(weight.shape[0]);
    layer.out = static_cast<std::size_t>(weight.shape[1]);
    layer.weight = checkpoint::ToFloats(weight, file_);
    const std::size_t place = PlaceOf(number) + 1;
    if (find_(Name(place, "weight")) != nullptr) {
      layer.norm =
          BatchNorm{Vector(Name(place, "weight"), layer.out), Vector(Name(place, "bias"), layer.out),
                    Vector(Name(place, "running_mean"), layer.out), Vector(Name(place, "running_var"), layer.out)};
    }
    return layer;
  }

  std::vector<float> Vector(const std::string& name, std::size_t size) const {
    const TensorView* tensor = find_(name);
    if (tensor == nullptr) throw DataError(file_, "tensor " + name + " is missing");
    std::vector<float> values = checkpoint::ToFloats(*tensor, file_);
    if (values.size() != size) throw DataError(file_, "tensor " + tensor->name + " has another size than its layer");
    return values;
  }

  void RequireChain(const Generator& generator) const {
    const std::size_t count = generator.layers.size();
    if (generator.side() > 2 * kMostSide) throw DataError(file_, "the generator makes pictures beyond 256 px");
    if (count < 2) return;
    const Layer& before = generator.layers[count - 2];
    if (before.out != generator.layers[count - 1].in || !before.norm) {
      throw DataError(file_, "tensor " + Name(PlaceOf(count - 1), "weight") + " does not fit the layer before it");
    }
  }

  fs::path file_;
  Lookup find_;
};

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
  const fs::path run = fs::absolute(folder).lexically_normal().parent_path().parent_path();
  if (fs::exists(run / "stats.jsonl")) trained.run = run;
  trained.facts = {{"step", saved.step}, {"images", saved.images}, {"lineage", saved.lineage}};
  if (saved.state.contains("options")) trained.facts["options"] = saved.state.at("options");
  trained.generator = Builder(folder, [&](const std::string& name) -> const TensorView* {
                        auto found = trained.averaged ? tensors.find("generator_ema." + name) : tensors.end();
                        if (found == tensors.end()) found = tensors.find("generator." + name);
                        return found == tensors.end() ? nullptr : &found->second;
                      }).Build();
  return trained;
}

TrainedGenerator LoadWeightsFile(const fs::path& file) {
  const checkpoint::WeightsFile weights(file);
  const std::string prefix = weights.PrefixOf("generator");
  TrainedGenerator trained;
  trained.source = file;
  trained.generator = Builder(file, [&](const std::string& name) { return weights.Find(prefix + name); }).Build();
  return trained;
}

TrainedGenerator LoadExported(const fs::path& folder, Weights weights) {
  TrainedGenerator trained = LoadWeightsFile(folder / kExportedWeights);
  const fs::path config = folder / "config.json";
  if (!fs::exists(config)) return trained;
  const auto parsed = nlohmann::json::parse(storage::ReadFile(config), nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) throw DataError(config, "is not a JSON object");
  trained.facts = parsed.value("training", nlohmann::json::object());
  trained.averaged = parsed.value("weights", "raw") == "ema";
  if ((weights == Weights::kEma && !trained.averaged) || (weights == Weights::kRaw && trained.averaged)) {
    throw UsageError("--weights: " + folder.string() + " was exported with the other kind of weights");
  }
  return trained;
}

}  // namespace

std::uint64_t TrainedGenerator::seed() const {
  const auto options = facts.find("options");
  return options == facts.end() ? 0 : options->value("seed", std::uint64_t{0});
}

TrainedGenerator Load(const fs::path& path, Weights weights) {
  if (!fs::exists(path)) throw DataError(path, "no such file or folder");
  if (fs::is_regular_file(path)) return LoadWeightsFile(path);
  if (fs::exists(path / kExportedWeights)) return LoadExported(path, weights);
  if (!fs::is_directory(path / "checkpoints")) return LoadCheckpoint(path, weights);
  const auto found = checkpoint::ListCheckpoints(path / "checkpoints");
  if (found.empty()) throw DataError(path, "holds no checkpoint yet");
  return LoadCheckpoint(found.front(), weights);
}

}  // namespace gan::generate
