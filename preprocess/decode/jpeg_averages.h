// A progressive JPEG stores the averages of its 8x8 blocks (the DC coefficients) in separate scans, about a tenth of
// the file. A picture of an eighth of the size needs nothing else.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

// Returns the picture as a baseline JPEG (ITU-T T.81) that contains only the averages. Decoded at 1/8, it gives the
// pixels of the progressive file where no component is subsampled; a subsampled component has half the detail. The
// other scans are skipped, not decoded, to the end of the file. nullopt: not a progressive JPEG, or an unusual one; the
// normal decoder must then read the file. Throws Rejected(kTooLarge).
std::optional<std::vector<std::byte>> BaselineOfAverages(std::span<const std::byte> file, const DecodeOptions& options);

}  // namespace gan::preprocess
