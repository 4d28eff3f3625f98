// The labels of a data set in the closing summary.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "preprocess/pipeline/pipeline.h"

namespace gan::preprocess {

// {"cat": 12, "dog": 9}
nlohmann::ordered_json LabelsJson(const Summary& summary);
// "2 labels: cat 12, dog 9"
std::string LabelWords(const Summary& summary);

}  // namespace gan::preprocess
