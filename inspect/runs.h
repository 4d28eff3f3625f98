#pragma once

#include <filesystem>

#include "inspect/report.h"

namespace gan::inspect {

// Checks a run folder: its files, its options, the last line of stats.jsonl, and every checkpoint. Changes nothing, so
// it may be used during training. A last line of stats.jsonl that is still being written does not count as damage.
Report InspectRun(const std::filesystem::path& folder);

}  // namespace gan::inspect
