#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

#include "generate/engine/load.h"
#include "generate/engine/options.h"

namespace gan::copies {

// Declares --nearest; after the other flags of gan-generate. `shards` stays empty when it is not given.
void AddNearestFlag(CLI::App& app, std::filesystem::path& shards);
// Sets the defaults that depend on the flag. Throws UsageError.
void SettleNearestFlag(const CLI::App& app, generate::GenerateOptions& options, const std::filesystem::path& shards);

// Writes the images that the options ask for beside the nearest training images of the shard folder, and prints the
// fraction of them that are copies, as training does with --quality-every. A checkpoint records which images were held
// out. For other weights, or other shards, all images count as training images, and no copies by chance are estimated.
// Uses the caller's TBB arena. Throws UsageError, DataError, IoError.
void WriteNearest(const generate::GenerateOptions& options, const generate::TrainedGenerator& trained,
                  const std::filesystem::path& shards);

}  // namespace gan::copies
