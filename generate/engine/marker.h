#pragma once

#include <cstddef>
#include <optional>

#include "generate/engine/choose.h"
#include "generate/engine/latents.h"
#include "generate/engine/load.h"
#include "generate/engine/options.h"
#include "picture/mark.h"

namespace gan::generate {

// The marks of the files of one call of gan-generate. Refers to its arguments.
class Marker {
 public:
  // chosen: what was asked for; latents: one per image, with those on the walk between them.
  Marker(const GenerateOptions& options, const TrainedGenerator& trained, const Chosen& chosen, const Latents& latents);

  // Of one file that shows all; nothing with --no-mark.
  std::optional<picture::Mark> OfAll() const;
  // Of a file that shows number `i` of the latents.
  std::optional<picture::Mark> OfOne(std::size_t i) const;

 private:
  const GenerateOptions& options_;
  const Generator& generator_;
  const Chosen& chosen_;
  const Latents& latents_;
  picture::Mark model_;
};

// Of all pictures of this generator, without a recipe.
picture::Mark MarkOf(const TrainedGenerator& trained);

}  // namespace gan::generate
