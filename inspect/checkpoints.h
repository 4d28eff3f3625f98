#pragma once

#include <filesystem>

#include "inspect/report.h"

namespace gan::inspect {

// Checks the structure of one safetensors file, such as a part of a checkpoint or an exported generator. The values are
// not checked.
Report InspectTensorFile(const std::filesystem::path& file);

// Reads every byte of a checkpoint and checks manifest, sizes, digests and structure.
Report InspectCheckpoint(const std::filesystem::path& folder);

// Checks all checkpoints in `root`, newest first. Folders that the trainer renamed ("step-….damaged") are listed but do
// not count as damage.
Report InspectCheckpoints(const std::filesystem::path& root);

}  // namespace gan::inspect
