#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "preprocess/record.h"

namespace gan::preprocess {

struct PreprocessOptions {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path output;
  std::uint32_t size = 128;
  Filter filter = Filter::kBilinear;
  DecodeMode mode = DecodeMode::kExact;
  DecodeOptions decode;
  bool labels_from_folders = false;
  std::uint32_t images_per_shard = 4096;  // inputs that a shard covers
  int threads = 0;                        // 0: all cores. Decides nothing about the bytes.
  bool strict = false;                    // the first rejected input is an error
};

struct Summary {
  std::uint64_t inputs = 0;
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> rejected;  // by reason
  std::uint64_t bytes_read = 0;
  std::uint64_t kept_from_before = 0;  // inputs of shards that an earlier, interrupted run had finished
  bool already_complete = false;       // nothing was left to do
};

using ShowProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Turns folders of pictures into a shard folder. The same inputs and options give the same bytes, whatever the threads
// and interruptions; an interrupted run goes on at the first shard that is not there. Throws UsageError when the folder
// was begun with other options or inputs, DataError on no usable input or, with strict, on the first rejected one,
// IoError when the disk refuses.
Summary Preprocess(const PreprocessOptions& options, const ShowProgress& show);

}  // namespace gan::preprocess
