// What gan-preprocess is asked to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "preprocess/inputs/labels.h"
#include "preprocess/pipeline/record.h"

namespace gan::preprocess {

struct PreprocessOptions {
  std::vector<std::filesystem::path> inputs;  // FindSources() says what they may be
  std::vector<std::filesystem::path> lists;
  std::filesystem::path output;
  std::uint32_t size = 128;
  Filter filter = Filter::kBilinear;
  Crop crop = Crop::kCenter;
  DecodeMode mode = DecodeMode::kExact;
  DecodeOptions decode;
  LabelOptions labels;
  std::uint32_t images_per_shard = 4096;  // inputs that a shard covers
  int threads = 0;                        // 0: all cores. Decides nothing about the bytes.
  bool strict = false;                    // the first rejected input is an error
  bool append = false;                    // to a finished folder: in new shards
  bool dedupe = false;                    // an input with the bytes of an earlier one is rejected
  std::filesystem::path preview;          // written by the caller; no input, as little as `output`
};

}  // namespace gan::preprocess
