#pragma once

#include <filesystem>

#include "inspect/report.h"

namespace gan::inspect {

// A run folder: its files, its options, the last line of stats.jsonl, and every checkpoint. Changes nothing in it, so
// it may be used while the run goes on; a last line of stats.jsonl that is still being written is no damage.
Report InspectRun(const std::filesystem::path& folder);

}  // namespace gan::inspect
