// The recipe of a generated picture: its latents, classes and options. The mark in the picture's file contains it, so
// that the same picture can be made again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"
#include "picture/mark.h"

namespace gan::generate {

// The name of a model in marks: a digest of all parameters as float32, layer by layer (weight, bias, batch norm's scale
// and shift). Batch norm's statistics are left out: those of averaged weights are measured, and their last bits depend
// on the processor.
std::string ModelDigest(const Generator& generator);

// A mark lists the seeds of the latents if each latent has one. Otherwise it lists the numbers of the latents, or their
// digest if there are too many numbers. interpolate, columns: 0 when there is no walk or no grid.
struct Recipe {
  const Latents& latents;                 // before a walk; truncated
  std::vector<std::string> classes = {};  // names of the classes that show each latent
  bool between_classes = false;           // one image of a walk between classes, which no flag can ask for
  double truncation = 1;                  // factor of the latents that the seeds give
  std::size_t interpolate = 0;
  std::size_t columns = 0;
};

// Adds the recipe to the mark of a model, also as a sentence.
void AddRecipe(const Recipe& recipe, picture::Mark& mark);

// The latents of a recipe, as they were before a walk. Throws DataError naming the file: no mark of Equipoise, latents
// of another length, or values that are not finite numbers.
Latents FromMarkedFile(const std::filesystem::path& file, std::size_t noise_dim);

// The names of the classes in the mark of a file, as ChooseClasses takes them. Empty when the file is not marked or its
// mark names no class.
std::vector<std::string> ClassesOfMark(const std::filesystem::path& file);

// Warns once when the mark of `file` names another model. Files without a mark pass.
void WarnOfAnotherModel(const std::filesystem::path& file, const Generator& generator);

}  // namespace gan::generate
