#include "generate/copies/copies.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/progress.h"
#include "generate/engine/choose.h"
#include "generate/engine/classes.h"
#include "generate/engine/generate.h"
#include "generate/engine/marker.h"
#include "picture/png.h"
#include "shard/manifest.h"
#include "storage/errors.h"
#include "trainer/data/loader.h"
#include "trainer/nearest/examination.h"

namespace gan::copies {

namespace {

// The facts about how the run divided its images, and whether it mirrored them.
struct Training {
  double holdout = 0;
  bool flip = false;
  bool is_known = false;
};

// The facts that a checkpoint records about its shards. They may describe other shards than those of the training.
Training TrainingOn(const shard::Manifest& manifest, const generate::TrainedGenerator& trained) {
  const nlohmann::json none = nlohmann::json::object();
  const auto found = trained.facts.is_object() ? trained.facts.find("options") : trained.facts.end();
  const nlohmann::json& options = trained.facts.is_object() && found != trained.facts.end() ? *found : none;
  const auto holdout = options.find("holdout"), flip = options.find("flip"), digest = options.find("dataset_digest");
  Training training;
  training.flip = flip != options.end() && flip->is_boolean() && flip->get<bool>();
  if (holdout == options.end() || !holdout->is_number()) return training;
  // With other shards the fraction would hold out images that this generator was trained on.
  if (digest == options.end() || *digest != manifest.dataset_digest) return training;
  training.holdout = holdout->get<double>();
  if (!(training.holdout >= 0 && training.holdout <= 0.5)) {
    throw DataError(trained.source, "what it says of the training is damaged: holdout is no part of the images");
  }
  training.is_known = true;
  return training;
}

// Runs the generator in batches, so that memory does not grow with the number of images.
nearest::Examination Examine(const generate::GenerateOptions& options, const generate::TrainedGenerator& trained,
                             const nearest::Reference& reference) {
  const generate::Chosen chosen = generate::Choose(options, trained.generator);
  const generate::Latents latents = generate::WithEachClass(chosen.latents, chosen.classes, trained.generator);
  generate::Engine engine(trained.generator);
  nearest::Examination examination(reference, engine.side());
  cli::ProgressBar bar("compare", latents.count());
  for (std::size_t done = 0; done < latents.count();) {
    const std::size_t now = std::min(options.batch, latents.count() - done);
    examination.Add(generate::ToRgb(engine.Run(generate::InputsOf(latents, done, now)), engine.side()));
    bar.Update(done += now);
  }
  return examination;
}

std::optional<picture::Mark> MarkFor(const generate::GenerateOptions& options,
                                     const generate::TrainedGenerator& trained) {
  if (!options.mark) return std::nullopt;
  picture::Mark mark = generate::MarkOf(trained);
  mark.source_type = picture::kCompositeSynthetic;
  mark.prompt = "generated images beside the nearest training images";
  return mark;
}

std::string Conclusion(const nearest::Copies& found, bool is_known) {
  // The pairs are shown nevertheless, but without held-out images there is no measure of how many copies a generator
  // makes that has learnt nothing by heart.
  if (!is_known) {
    return "It is not known which of these images were held out from training, so this cannot be compared with chance.";
  }
  if (found.held_out == 0) return "No images were held out from training, so this cannot be compared with chance.";
  return found.learnt_by_heart ? "The generator has learnt training images by heart."
                               : "That is no sign that the generator has learnt training images by heart.";
}

}  // namespace

void AddNearestFlag(CLI::App& app, std::filesystem::path& shards) {
  auto* flag = app.add_option("--nearest", shards,
                              "Shard folder of the training. Writes the generated images beside the nearest training "
                              "images, and says whether they are copies. Default: 256 images to nearest.png.");
  flag->type_name("SHARDS")->group("Learnt by heart?");
  for (const char* other : {"--project", "--interpolate", "--sheet", "--columns"}) flag->excludes(other);
}

void SettleNearestFlag(const CLI::App& app, generate::GenerateOptions& options, const std::filesystem::path& shards) {
  if (shards.empty()) return;
  if (app.count("--out") == 0) options.out = "nearest.png";
  if (options.kind() != generate::OutputKind::kGrid) throw UsageError("--nearest: --out must be FILE.png");
  if (!options.count_given) options.count = nearest::kGenerated;
}

void WriteNearest(const generate::GenerateOptions& options, const generate::TrainedGenerator& trained,
                  const std::filesystem::path& shards) {
  const Training training = TrainingOn(shard::ReadManifest(shards), trained);
  // The holdout is chosen by content, so the same fraction gives the same images as in training.
  const auto dataset = std::make_shared<const data::Dataset>(shards, training.holdout);
  const nearest::Reference reference(dataset, training.flip, [] {});
  if (!reference.training().AreEnough()) {
    throw DataError(shards,
                    "has too few different images to compare with: " + std::to_string(reference.training().size()));
  }
  const nearest::Examination examination = Examine(options, trained, reference);
  const nearest::Copies found = examination.Result();
  const picture::GridImage grid = examination.Pairs();
  picture::WritePng(options.out, grid.pixels, grid.width, grid.height, MarkFor(options, trained));
  std::cout << nearest::Words(found) + ".\n" + Conclusion(found, training.is_known) + "\nwrote " +
                   options.out.string() + "\n";
}

}  // namespace gan::copies
