#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "generate/engine/generator.h"
#include "trainer/data/classes.h"

namespace gan::generate {

// kAuto: the moving average if the source has one, otherwise the raw weights.
enum class Weights { kAuto, kEma, kRaw };

struct TrainedGenerator {
  Generator generator;
  bool averaged = false;            // the moving average's weights
  bool statistics_measured = true;  // false: running statistics of the raw weights; measure first
  std::filesystem::path source;     // the file or folder that was read
  bool from_checkpoint = false;     // source is a checkpoint, which may contain a discriminator
  std::filesystem::path run;        // the run folder of the source; empty when there is none
  nlohmann::json facts;  // facts about the training in the source (step, images, lineage, options); may be empty
  data::Classes training_classes;  // how often training drew each class; empty without classes or when unknown
  std::uint64_t seed() const;      // of the run, 0 when unknown
};

// Reads a run folder (its newest checkpoint), a checkpoint, a folder that --export made, or a safetensors file with
// PyTorch's names ("0.weight", also behind a prefix such as "main." or "generator."). Throws DataError naming file and
// tensor, also for a tensor of the network that is unknown or not finite; UsageError when --weights asks for an average
// that the source lacks.
TrainedGenerator Load(const std::filesystem::path& path, Weights weights);

}  // namespace gan::generate
