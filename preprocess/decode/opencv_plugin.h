// The plugin's whole interface: two C functions that decode_opencv.cpp looks up by name.
#pragma once

#include <cstddef>
#include <cstdint>

enum GanOpenCvResult { kGanOpenCvDone, kGanOpenCvCorrupt, kGanOpenCvTooLarge, kGanOpenCvUnsupported };

extern "C" {
// Gives room for uint8 [height, width, 4], or null when that is too large.
using GanOpenCvAllocate = std::uint8_t* (*)(void* context, std::uint32_t width, std::uint32_t height);
int GanOpenCvDecode(const std::uint8_t* file, std::size_t bytes, GanOpenCvAllocate allocate, void* context);
const char* GanOpenCvVersion();
}
