#pragma once

#include <memory>

#include "preprocess/inputs/arrays.h"
#include "preprocess/inputs/container.h"

namespace gan::preprocess {

// Reads the pictures of one array by their number.
std::unique_ptr<ContainerReader> OpenArray(const ByteOrigin& origin, const PictureArray& layout);

}  // namespace gan::preprocess
