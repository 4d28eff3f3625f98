#include "generate/export/weights_folder.h"

#include <optional>
#include <span>

#include "checkpoint/safetensors.h"
#include "generate/engine/classes.h"
#include "generate/engine/generate.h"
#include "generate/engine/marker.h"
#include "generate/engine/recipe.h"
#include "generate/export/appended_class.h"
#include "generate/export/model_card.h"
#include "picture/grid.h"
#include "picture/png.h"
#include "storage/files.h"

namespace gan::exporting {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSamples = 64;
constexpr std::uint32_t kSampleColumns = 8;

void Add(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values,
         std::vector<checkpoint::TensorView>& views) {
  views.push_back({.name = name, .dtype = "F32", .shape = shape, .data = std::as_bytes(std::span(values))});
}

std::vector<checkpoint::TensorView> Views(const generate::Generator& generator, const AppendedClass& appended,
                                          const std::vector<std::int64_t>& batches_tracked) {
  std::vector<checkpoint::TensorView> views;
  // A folded class is the first module of the nn.Sequential and moves all others by one place.
  const std::size_t first = appended.bias.empty() ? 0 : 1;
  if (first > 0) {
    const auto in = static_cast<std::int64_t>(generator.inputs()),
               noise = static_cast<std::int64_t>(generator.noise_dim());
    Add("0.weight", {in, noise, 1, 1}, appended.weight, views);
    Add("0.bias", {in}, appended.bias, views);
  } else if (generator.classes) {
    const generate::ClassTable& classes = *generator.classes;
    Add("class_embedding.weight",
        {static_cast<std::int64_t>(classes.names.size()), static_cast<std::int64_t>(classes.width)}, classes.embedding,
        views);
  }
  for (std::size_t i = 0; i < generator.layers.size(); ++i) {
    const generate::Layer& layer = generator.layers[i];
    const auto in = static_cast<std::int64_t>(layer.in), out = static_cast<std::int64_t>(layer.out);
    const std::size_t place = first + generate::PlaceOf(i);
    Add(std::to_string(place) + ".weight", {in, out, 4, 4}, layer.weight, views);
    if (!layer.bias.empty()) Add(std::to_string(place) + ".bias", {out}, layer.bias, views);
    if (!layer.norm) continue;
    const std::string prefix = std::to_string(place + 1) + ".";
    Add(prefix + "weight", {out}, layer.norm->scale, views);
    Add(prefix + "bias", {out}, layer.norm->shift, views);
    Add(prefix + "running_mean", {out}, layer.norm->mean, views);
    Add(prefix + "running_var", {out}, layer.norm->variance, views);
    // PyTorch's strict load_state_dict requires it. Nothing reads it in evaluation mode.
    views.push_back({prefix + "num_batches_tracked", "I64", {}, std::as_bytes(std::span(batches_tracked))});
  }
  return views;
}

void WriteSafetensors(const fs::path& file, const generate::Generator& generator) {
  // The views refer to these two and to the generator, so they must live until all is written.
  const std::vector<std::int64_t> batches_tracked = {0};
  const AppendedClass appended = AppendedClassOf(generator);
  const std::vector<checkpoint::TensorView> views = Views(generator, appended, batches_tracked);
  storage::AtomicFile out(file);
  out.Append(checkpoint::EncodeHeader(views));
  for (const checkpoint::TensorView& view : views) out.Append(view.data);
  out.Commit();
}

void WriteSamples(const fs::path& file, const generate::TrainedGenerator& trained, bool with_mark) {
  generate::Engine engine(trained.generator);
  const generate::Generator& generator = trained.generator;
  const std::vector<std::uint32_t> classes = generate::ChooseClasses({}, generator);
  const generate::Latents latents =
      generate::FirstSeeds(classes.size() > 1 ? kSampleColumns : kSamples, generator.noise_dim());
  const generate::Latents shown = generate::WithEachClass(latents, classes, generator);
  const std::vector<std::uint8_t> rgb = generate::SamplePictures(engine, shown);
  const picture::GridImage grid = picture::Grid(rgb, static_cast<std::uint32_t>(shown.count()),
                                                static_cast<std::uint32_t>(engine.side()), kSampleColumns);
  std::optional<picture::Mark> mark;
  if (with_mark) {
    mark = generate::MarkOf(trained);
    generate::AddRecipe(
        {.latents = latents, .classes = generate::NamesOf(classes, generator), .columns = kSampleColumns}, *mark);
  }
  picture::WritePng(file, grid.pixels, grid.width, grid.height, mark);
}

}  // namespace

void WriteWeightsFolder(const fs::path& folder, const generate::TrainedGenerator& trained, bool mark) {
  storage::MakeFolders(folder);
  WriteSafetensors(folder / "generator.safetensors", trained.generator);
  WriteSamples(folder / "samples.png", trained, mark);
  storage::WriteFileAtomically(folder / "README.md", ModelCard(trained));
  storage::WriteFileAtomically(folder / "config.json", ConfigOf(trained).dump(2) + "\n");
}

}  // namespace gan::exporting
