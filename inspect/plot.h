#pragma once

#include <filesystem>

namespace gan::inspect {

// Draws the curves of a run folder (losses, what D says, its accuracies, AUC and imbalance, gradient norms, rates,
// diversity, quality) over steps into one PNG of 1280x1280 px. A run of any length: beyond 1,000 rows of stats.jsonl a
// point is a mean. Throws DataError when the run has logged nothing, std::runtime_error when the drawing plugin cannot
// be loaded.
void PlotRun(const std::filesystem::path& run, const std::filesystem::path& png);

}  // namespace gan::inspect
