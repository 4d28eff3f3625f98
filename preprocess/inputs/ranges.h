#pragma once

#include <string>
#include <vector>

namespace gan::preprocess {

// "data-{008..010}.tar" -> "data-008.tar", "data-009.tar", "data-010.tar", as WebDataset names its tars: numbers keep
// the width of the first. Several ranges give every combination, the last one quickest. A text without a range is
// itself. Throws UsageError for over a million names and for a range without any.
std::vector<std::string> ExpandRanges(const std::string& text);

}  // namespace gan::preprocess
