#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace gan::storage {

// The text with its ASCII letters in lower case; no program sets another locale than C's.
inline std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace gan::storage
