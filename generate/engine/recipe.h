// What a generated picture was made of, as the mark in its file says it, and back: so that it can be made again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"
#include "picture/mark.h"

namespace gan::generate {

// What names a model in marks: a digest of all parameters as float32, layer by layer (weight, bias, batch norm's scale
// and shift). Without batch norm's statistics: those of averaged weights are measured, and their last bits depend on
// the processor.
std::string ModelDigest(const Generator& generator);

// Latents in a mark: their seeds when all have one, else the numbers, else (when those are too many) a digest.
// interpolate, columns: 0 when there is no walk and no grid.
struct Recipe {
  const Latents& latents;                 // before a walk; truncated
  std::vector<std::string> classes = {};  // names of the classes that show each latent
  bool between_classes = false;           // one image of a walk from one class to another, which no flag can ask for
  double truncation = 1;                  // of the latents that the seeds give
  std::size_t interpolate = 0;
  std::size_t columns = 0;
};

// Adds the recipe to the mark of a model, in words as well.
void AddRecipe(const Recipe& recipe, picture::Mark& mark);

// The latents of a recipe, as they were before a walk. Throws DataError naming the file: no mark of ours, latents of
// another length, numbers that are none or not finite.
Latents FromMarkedFile(const std::filesystem::path& file, std::size_t noise_dim);

// What ChooseClasses takes to choose the classes of a recipe; nothing when the file is not marked or names none.
std::vector<std::string> ClassesOfMark(const std::filesystem::path& file);

// Warns once when `file` is marked and another model made it. Other files pass.
void WarnOfAnotherModel(const std::filesystem::path& file, const Generator& generator);

}  // namespace gan::generate
