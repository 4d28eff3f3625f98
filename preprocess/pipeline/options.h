// The options of gan-preprocess.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "preprocess/inputs/labels.h"
#include "preprocess/pipeline/record.h"

namespace gan::preprocess {

struct PreprocessOptions {
  std::vector<std::filesystem::path> inputs;  // FindSources() describes the possible kinds
  std::vector<std::filesystem::path> lists;
  std::filesystem::path output;
  std::uint32_t size = 128;
  Filter filter = Filter::kBilinear;
  Crop crop = Crop::kCenter;
  DecodeMode mode = DecodeMode::kExact;
  DecodeOptions decode;
  LabelOptions labels;
  std::uint32_t images_per_shard = 4096;  // inputs per shard
  int threads = 0;                        // 0: all cores; the output does not depend on it
  bool strict = false;                    // the first rejected input is an error
  bool append = false;                    // add new shards to a finished folder
  bool dedupe = false;                    // an input with the bytes of an earlier one is rejected
  std::filesystem::path preview;          // written by the caller; like `output`, never an input
};

}  // namespace gan::preprocess
