// Compares plans. Their inputs are the same when names, sizes, labels and options are, and the samples of their
// contents (content_sample.h) do not say otherwise.
#pragma once

#include <nlohmann/json.hpp>

namespace gan::preprocess {

inline constexpr const char* kInputsSample = "inputs_sample";

// Two plans, or two batches of inputs in plans (plan.h).
bool SameInputs(const nlohmann::json& one, const nlohmann::json& other);
// The same without their samples: then other inputs may have the same names and sizes.
bool SameNames(nlohmann::json one, nlohmann::json other);
// `plan` with what only the sample of `other`, which has the same inputs, contains: a file may have been unreadable.
nlohmann::json WithSampleOf(nlohmann::json plan, const nlohmann::json& other);

}  // namespace gan::preprocess
