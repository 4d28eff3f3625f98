#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace gan::preprocess {

// Calls take(line, offset) for each line that is not empty.
template <typename Take>
void ForEachLine(std::string_view text, const Take& take) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) take(line, at);
    at = end + 1;
  }
}

}  // namespace gan::preprocess
