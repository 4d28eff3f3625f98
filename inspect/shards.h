#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "inspect/report.h"

namespace gan::inspect {

using ShowProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;  // in bytes

// Reads every byte of one shard and checks every checksum. Throws IoError when the file cannot be read.
Report InspectShard(const std::filesystem::path& file);

// Does the same for all shards of a folder, and compares the manifest with the shards and with the quarantine file.
Report InspectShardFolder(const std::filesystem::path& folder, const ShowProgress& show);

}  // namespace gan::inspect
