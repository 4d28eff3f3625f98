#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "generate/engine/load.h"

namespace gan::exporting {

// config.json: format and its version, sizes, the kind of weights, and the known facts about the training.
nlohmann::json ConfigOf(const generate::TrainedGenerator& trained);

// The last line of the run's stats.jsonl up to the exported step, with the newest measures of quality up to that step;
// null when there is no such line.
nlohmann::json LastStats(const generate::TrainedGenerator& trained);

// README.md of an exported folder, in the form of model cards (Mitchell et al., "Model cards for model reporting", FAT*
// 2019): description, how to load it, training, results, samples.
std::string ModelCard(const generate::TrainedGenerator& trained);

}  // namespace gan::exporting
