// A progressive JPEG holds the averages of its 8x8 blocks (the DC coefficients) in scans of their own, a tenth of the
// file; those are all that pixels of an eighth of the size need.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

// The same picture as a baseline JPEG (ITU-T T.81) that has the averages and nothing else: decoded at 1/8 it gives the
// pixels of the progressive file where no component is subsampled; a subsampled one has half the detail there. The
// scans left out are walked to the end of the file, not decoded. nullopt: not a progressive JPEG, or anything odd about
// it; the decoder decides about the file itself. Throws Rejected(kTooLarge).
std::optional<std::vector<std::byte>> BaselineOfAverages(std::span<const std::byte> file, const DecodeOptions& options);

}  // namespace gan::preprocess
