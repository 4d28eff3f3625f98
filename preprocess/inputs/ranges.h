#pragma once

#include <string>
#include <vector>

namespace gan::preprocess {

// "data-{008..010}.tar" -> "data-008.tar", "data-009.tar", "data-010.tar", as WebDataset names its tars: numbers keep
// the width of the first one. Several ranges give every combination; the last range varies fastest. A text without a
// range is returned unchanged. Throws UsageError for over a million names and for an empty range.
std::vector<std::string> ExpandRanges(const std::string& text);

}  // namespace gan::preprocess
