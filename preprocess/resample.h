// torchvision's Resize(size) and CenterCrop(size) on a PIL picture, bit for bit (Pillow 12.0.0,
// src/libImaging/Resample.c).
#pragma once

#include <cstdint>
#include <string_view>

#include "preprocess/image.h"

namespace gan::preprocess {

enum class Filter { kBilinear, kLanczos, kBox };
std::string_view Name(Filter filter);

// The short side becomes `size`, the long one in proportion, then the middle size x size is kept; only that part is
// computed. Any picture of at least one pixel. Throws Rejected when the long side would grow beyond reason.
Rgb8 ResizeAndCrop(const Rgb8& image, std::uint32_t size, Filter filter);

}  // namespace gan::preprocess
