#pragma once

#include <filesystem>

namespace gan::inspect {

// Draws the curves of a run folder over steps into one PNG of 1280x1280 px: losses, D's mean outputs, accuracies, AUC
// and loss imbalance, gradient norms, learning rates, diversity and quality. Beyond 1,000 rows of stats.jsonl every
// point is the mean of several rows. Throws DataError when the run has logged nothing, std::runtime_error when the
// drawing plugin cannot be loaded.
void PlotRun(const std::filesystem::path& run, const std::filesystem::path& png);

}  // namespace gan::inspect
