#pragma once

#include <cstddef>
#include <span>

#include "preprocess/image/image.h"

namespace gan::preprocess {

// The EXIF orientation (1-8) in a file of each kind; 1 when there is none or the metadata is broken.
int OrientationOfJpeg(std::span<const std::byte> file);
int OrientationOfPng(std::span<const std::byte> file);
int OrientationOfWebp(std::span<const std::byte> file);

// The picture turned and mirrored so that it stands upright (EXIF 2.32, tag 0x0112).
Rgb8 Turned(const Rgb8& image, int orientation);

}  // namespace gan::preprocess
