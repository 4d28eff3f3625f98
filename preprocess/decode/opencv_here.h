// OpenCV in this process, through its plugin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "preprocess/decode/opencv_plugin.h"

namespace gan::preprocess {

struct OpenCvReply {
  int result = kGanOpenCvCorrupt;  // GanOpenCvResult
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> rgba;  // [height, width, 4] when done
};

// Loads the plugin, and GDAL behind it, when it is first called. Throws Rejected(kUnsupported) when it cannot be
// loaded.
OpenCvReply DecodeWithOpenCvHere(std::span<const std::byte> file, std::uint64_t max_pixels);

}  // namespace gan::preprocess
