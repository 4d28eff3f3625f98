#include "generate/export/model_card.h"

#include <fstream>
#include <string_view>
#include <vector>

#include "generate/engine/recipe.h"
#include "storage/counted.h"
#include "storage/parse_json.h"

namespace gan::exporting {

using nlohmann::json;

namespace {

constexpr std::string_view kQuality = "quality_";  // prefix of the quality measures in stats.jsonl

std::vector<std::size_t> Channels(const generate::Generator& generator) {
  std::vector<std::size_t> channels = {generator.inputs()};
  for (const generate::Layer& layer : generator.layers) channels.push_back(layer.out);
  return channels;
}

std::string Table(const json& values, const std::vector<std::string>& names) {
  std::string table = "| what | value |\n|---|---|\n";
  for (const std::string& name : names) {
    const auto found = values.find(name);
    if (found == values.end() || found->is_null()) continue;
    table += "| " + name + " | " + (found->is_string() ? found->get<std::string>() : found->dump()) + " |\n";
  }
  return table;
}

std::vector<std::string> NamesOf(const json& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values.items()) {
    if (value.is_primitive()) names.push_back(name);
  }
  return names;
}

// Loading() replaces the words in capital letters.
constexpr const char* kLoading = R"(```python
import torch
from safetensors.torch import load_file

channels = CHANNELS
layers = [BEFORE]
for i, (a, b) in enumerate(zip(channels, channels[1:])):
    layers.append(torch.nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=BIAS))
    layers += [torch.nn.Tanh()] if b == 3 else [torch.nn.BatchNorm2d(b), torch.nn.ReLU()]
generator = torch.nn.Sequential(*layers).eval()
weights = load_file('generator.safetensors')
CLASSESgenerator.load_state_dict(weights)
with torch.inference_mode():
    latents = torch.randn(64, NOISE, 1, 1)
    JOINimages = generator(latents)  # float [64, 3, SIDE, SIDE] in [-1, 1]
```
)";
constexpr const char* kClasses = R"(classes = NAMES
embedding = weights.pop('class_embedding.weight')  # float [CLASS_COUNT, WIDTH]
)";
constexpr const char* kJoin = R"(latents = torch.cat((latents, embedding[[0] * 64][:, :, None, None]), 1)  # classes[0]
    )";

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// The code that loads the weights, with the lines that a conditional generator needs. Names are written as JSON
// strings, which Python can read as well.
std::string Loading(const generate::Generator& generator, const std::string& biases) {
  const std::size_t count = generator.classes ? generator.classes->names.size() : 0;
  const std::string noise = std::to_string(generator.noise_dim());
  std::string code = Replaced(kLoading, "BEFORE", count == 1 ? "torch.nn.Conv2d(" + noise + ", channels[0], 1)" : "");
  code = Replaced(code, "CHANNELS", json(Channels(generator)).dump());
  code = Replaced(code, "SIDE", std::to_string(generator.side()));
  code = Replaced(Replaced(code, "NOISE", noise), "BIAS", biases);
  // These add further words in capital letters, which are replaced below.
  code = Replaced(Replaced(code, "CLASSES", count > 1 ? kClasses : ""), "JOIN", count > 1 ? kJoin : "");
  if (count < 2) return code;
  code =
      Replaced(Replaced(code, "CLASS_COUNT", std::to_string(count)), "WIDTH", std::to_string(generator.classes->width));
  // Replaced last, because names may contain any text.
  return Replaced(code, "NAMES", json(generator.classes->names).dump());
}

std::string ClassesSection(const generate::TrainedGenerator& trained) {
  if (!trained.generator.classes) return "";
  const std::vector<std::string>& names = trained.generator.classes->names;
  if (names.size() == 1) return "It makes one class: " + names.front() + ".\n\n";
  std::string list = "It makes the class that it is asked for";
  for (std::size_t i = 0; i < names.size(); ++i) {
    list += (i > 0 ? ", " : ": ") + names[i];
    if (!trained.training_classes.empty()) {
      list += " (" + storage::Counted(trained.training_classes.all()[i].images, "training image") + ")";
    }
  }
  return list + ".\n\n";
}

// Which layers of the loop in kLoading have a bias, in Python.
std::string Biases(const generate::Generator& generator) {
  std::string list;
  std::size_t count = 0;
  for (std::size_t i = 0; i < generator.layers.size(); ++i) {
    if (generator.layers[i].bias.empty()) continue;
    ++count;
    list += (list.empty() ? "" : ", ") + std::to_string(i);
  }
  if (count == 0) return "False";
  return count == generator.layers.size() ? "True" : "i in [" + list + "]";
}

std::string TrainingSection(const generate::TrainedGenerator& trained) {
  const auto options = trained.facts.find("options");
  if (options == trained.facts.end()) return "## Training\n\nThe source of the weights says nothing about it.\n";
  json summary = {{"step", trained.facts.value("step", json())},
                  {"real images shown", trained.facts.value("images", json())}};
  std::string text = "## Training\n\n" + Table(summary, {"step", "real images shown"});
  return text + "\nOptions (`dataset_digest` names the shards it was trained on):\n\n" +
         Table(*options, NamesOf(*options));
}

std::string MetricsSection(const json& stats) {
  if (stats.is_null()) return "";
  std::vector<std::string> names = {
      "step", "epoch", "loss_d", "loss_g", "d_auc", "d_accuracy_real", "d_accuracy_fake", "imbalance", "verdict"};
  for (const auto& item : stats.items()) {
    if (item.key().starts_with(kQuality)) names.push_back(item.key());
  }
  return "\n## How it did\n\nThe last step that was logged (AUC 0.5: the discriminator guesses) and the last measures "
         "of "
         "quality, against pictures held out of training, when there were any.\n\n" +
         Table(stats, names);
}

}  // namespace

json ConfigOf(const generate::TrainedGenerator& trained) {
  const generate::Generator& generator = trained.generator;
  json config = {{"format", "equipoise-generator"},
                 {"format_version", 1},
                 {"resolution", generator.side()},
                 {"noise_dim", generator.noise_dim()},
                 {"channels", Channels(generator)},
                 {"image_range", {-1, 1}},
                 {"model_digest", generate::ModelDigest(generator)},
                 {"weights", trained.averaged ? "ema" : "raw"}};
  if (generator.classes) {
    config["classes"] = generator.classes->names;
    config["class_embedding"] = generator.classes->width;
  }
  if (!trained.facts.empty()) config["training"] = trained.facts;
  return config;
}

// The quality of a step is written to the line of a later step; quality_step names the measured one.
json LastStats(const generate::TrainedGenerator& trained) {
  json last, quality = json::object();
  if (trained.run.empty()) return last;
  const auto exported = trained.facts.value("step", std::uint64_t{0});
  std::ifstream lines(trained.run / "stats.jsonl");
  for (std::string line; std::getline(lines, line);) {
    // The last line may be incomplete during a run.
    const json record = storage::IsModestJson(line) ? json::parse(line) : json();
    if (!record.is_object()) break;
    const json step = record.value("step", json(0U)), measured = record.value("quality_step", step);
    if (!step.is_number_unsigned() || !measured.is_number_unsigned()) break;
    // Lines of later steps describe another state than the exported one.
    if (step <= exported) last = record;
    if (measured > exported && record.contains("quality_step")) break;
    if (measured > exported) continue;
    for (const auto& [name, value] : record.items()) {
      if (name.starts_with(kQuality)) quality[name] = value;
    }
  }
  if (!last.is_null()) last.update(quality);
  return last;
}

std::string ModelCard(const generate::TrainedGenerator& trained) {
  const std::string side = std::to_string(trained.generator.side());
  std::string card =
      "# A DCGAN generator, " + side + "x" + side + " px\n\n![" +
      (trained.generator.classes && trained.generator.classes->names.size() > 1 ? "Seeds 0 to 7, one row per class"
                                                                                : "64 pictures, seeds 0 to 63") +
      "](samples.png)\n\n";
  card += ClassesSection(trained);
  card +=
      "Latents of " + std::to_string(trained.generator.noise_dim()) +
      " standard normal numbers in, RGB pictures in [-1, 1] out. Weights: " +
      (trained.averaged ? "the exponential moving average of training, with batch-norm statistics measured for it."
                        : "as the last step left them.") +
      "\n\n## Use\n\n`gan-generate --checkpoint THIS_FOLDER --out grid.png`, or in PyTorch with no code of ours:\n\n";
  card += Loading(trained.generator, Biases(trained.generator));
  card += "\n";
  card += TrainingSection(trained) + MetricsSection(LastStats(trained));
  return card +
         "\n## Limits\n\nIt shows what its training pictures showed, with their biases, and may repeat some of them; "
         "their licence may extend to what it makes.\n";
}

}  // namespace gan::exporting
