#include "generate/engine/marker.h"

#include "cli/build_facts.h"
#include "generate/engine/classes.h"
#include "generate/engine/recipe.h"

namespace gan::generate {

picture::Mark MarkOf(const TrainedGenerator& trained) {
  picture::Mark mark = picture::MarkOfModel(cli::Version(), ModelDigest(trained.generator));
  // A file of weights has no facts about its training.
  const auto step = trained.facts.find("step");
  if (step != trained.facts.end() && step->is_number_unsigned()) mark.recipe[picture::kStep] = step->dump();
  return mark;
}

Marker::Marker(const GenerateOptions& options, const TrainedGenerator& trained, const Chosen& chosen,
               const Latents& latents)
    : options_(options), generator_(trained.generator), chosen_(chosen), latents_(latents) {
  if (options.mark) model_ = MarkOf(trained);
}

std::optional<picture::Mark> Marker::OfAll() const {
  if (!options_.mark) return std::nullopt;
  picture::Mark mark = model_;
  // The mark lists the stops (chosen_) and not the images of a walk: the stops suffice to make the whole file again.
  const OutputKind kind = options_.kind();
  const bool grid = kind == OutputKind::kGrid || kind == OutputKind::kStdout;
  AddRecipe({.latents = chosen_.latents,
             .classes = NamesOf(chosen_.classes, generator_),
             .truncation = options_.truncation,
             .interpolate = options_.interpolate,
             .columns = grid ? options_.columns : 0},
            mark);
  return mark;
}

std::optional<picture::Mark> Marker::OfOne(std::size_t i) const {
  if (!options_.mark) return std::nullopt;
  // The mark of one image lists the latent of this image (latents_), which in a walk is not one of the stops.
  const std::size_t n = latents_.noise_dim;
  Latents one{.noise_dim = n, .values = {}, .seeds = {}};
  one.values.assign(latents_.values.begin() + static_cast<std::ptrdiff_t>(i * n),
                    latents_.values.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
  if (!latents_.seeds.empty()) one.seeds = {latents_.seeds[i]};
  picture::Mark mark = model_;
  // A frame of a walk between classes has a mixture of embeddings, which --class cannot express.
  const bool has_class = !latents_.classes.empty();
  AddRecipe({.latents = one,
             .classes = has_class ? NamesOf({latents_.classes[i]}, generator_) : std::vector<std::string>(),
             .between_classes = !has_class && generator_.classes.has_value(),
             .truncation = options_.truncation},
            mark);
  return mark;
}

}  // namespace gan::generate
