#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "generate/engine/load.h"

namespace gan::exporting {

// config.json: format and its version, sizes, which weights, and what is known of the training.
nlohmann::json ConfigOf(const generate::TrainedGenerator& trained);

// The last line of the run's stats.jsonl up to the exported step, with the newest measures of quality up to there; null
// when there is none.
nlohmann::json LastStats(const generate::TrainedGenerator& trained);

// README.md of an exported folder, in the form of model cards (Mitchell et al., "Model cards for model reporting",
// FAT* 2019): what it is, how to load it, how it was trained, how it did, what it shows.
std::string ModelCard(const generate::TrainedGenerator& trained);

}  // namespace gan::exporting
