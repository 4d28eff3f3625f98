// The end of a run for its user: in words, or as one JSON object.
#pragma once

#include <string>

#include "preprocess/pipeline/pipeline.h"

namespace gan::preprocess {

// `seconds`: how long the run took. Both end with a line end.
std::string SummaryInWords(const Summary& summary, const PreprocessOptions& options, double seconds);
std::string SummaryAsJson(const Summary& summary, const PreprocessOptions& options, double seconds);

}  // namespace gan::preprocess
