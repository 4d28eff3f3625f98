#pragma once

#include <filesystem>

#include "inspect/report.h"

namespace gan::inspect {

// One safetensors file, such as a part of a checkpoint or an exported generator: its structure, not its values.
Report InspectTensorFile(const std::filesystem::path& file);

// Reads every byte of a checkpoint and checks manifest, sizes, digests and structure.
Report InspectCheckpoint(const std::filesystem::path& folder);

// All checkpoints in `root`, newest first. Folders that the trainer itself set aside ("step-….damaged") are listed and
// do not count as damage.
Report InspectCheckpoints(const std::filesystem::path& root);

}  // namespace gan::inspect
