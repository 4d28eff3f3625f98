// Compares plans. Their inputs are the same when names, sizes, labels and options are, and the samples of their
// contents (content_sample.h) do not say otherwise.
#pragma once

#include <nlohmann/json.hpp>

namespace gan::preprocess {

inline constexpr const char* kInputsSample = "inputs_sample";

// Two plans, or two batches of inputs in plans (plan.h).
bool SameInputs(const nlohmann::json& one, const nlohmann::json& other);
// Compares them without their samples. Other inputs may then have the same names and sizes.
bool SameNames(nlohmann::json one, nlohmann::json other);
// `plan`, completed by the parts that only the sample of `other` contains. Both have the same inputs, but a file may
// have been unreadable when one of the samples was taken.
nlohmann::json WithSampleOf(nlohmann::json plan, const nlohmann::json& other);

}  // namespace gan::preprocess
