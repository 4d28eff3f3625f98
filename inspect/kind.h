#pragma once

#include <filesystem>

namespace gan::inspect {

enum class Kind { kShard, kShardFolder, kTensorFile, kCheckpoint, kCheckpoints, kRun, kPicture };

// What stands at `path`, judged by names alone, so that a damaged thing is still recognised. Throws DataError when
// there is nothing, or nothing of ours.
Kind Recognise(const std::filesystem::path& path);

}  // namespace gan::inspect
