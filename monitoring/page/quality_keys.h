// The measures of quality in a line of stats.jsonl.
#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

namespace gan::monitoring {

// The prefix of the names of measures. A result is in the line of the step in which it took effect. The two other keys
// name the step and the images of the measured state. Runs that waited for each measurement do not have them.
inline constexpr std::string_view kQuality = "quality_", kQualityStep = "quality_step",
                                  kQualityImages = "quality_images";

// Whether `name` is one of the two keys that name the step and the images. They are not measures.
constexpr bool SaysWhatWasMeasured(std::string_view name) { return name == kQualityStep || name == kQualityImages; }

// The step to which the measures in a line belong; at most the line's own.
std::uint64_t MeasuredStep(const nlohmann::json& line, std::uint64_t own_step);

}  // namespace gan::monitoring
