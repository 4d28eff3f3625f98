#pragma once

#include <filesystem>

namespace gan::inspect {

enum class Kind { kShard, kShardFolder, kTensorFile, kCheckpoint, kCheckpoints, kRun, kRuns, kPicture };

// Recognises the kind of file or folder at `path` by names alone, so that a damaged one is recognised as well. Throws
// DataError when nothing exists there or when it is of no known kind.
Kind Recognise(const std::filesystem::path& path);

}  // namespace gan::inspect
