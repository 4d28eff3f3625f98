// torchvision's Resize(size) and CenterCrop(size) on a PIL picture, bit for bit (Pillow 12.0.0,
// src/libImaging/Resample.c).
#pragma once

#include <cstdint>
#include <string_view>

#include "preprocess/image.h"
#include "preprocess/resample_kernels.h"

namespace gan::preprocess {

enum class Filter { kBilinear, kLanczos, kBox };
std::string_view Name(Filter filter);

// The short side becomes `size`, the long one in proportion, then the middle size x size is kept; only that part is
// computed. Any picture of at least one pixel. Throws Rejected when the long side would grow beyond reason.
Rgb8 ResizeAndCrop(const Rgb8& image, std::uint32_t size, Filter filter,
                   const ResampleKernels& kernels = BestKernels());

// Which part of a picture of width x height the kept middle is made of.
Region InputOfCrop(std::uint32_t width, std::uint32_t height, std::uint32_t size, Filter filter);

// The same from that part alone (or more of it): `part` shows the pixels of `where` of a picture of width x height.
Rgb8 ResizeAndCropPart(const Rgb8& part, const Region& where, std::uint32_t width, std::uint32_t height,
                       std::uint32_t size, Filter filter, const ResampleKernels& kernels = BestKernels());

}  // namespace gan::preprocess
