#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace gan::storage {

// The text with its ASCII letters in lower case. Programs have C's locale, or C.UTF-8 while they read an archive; in
// both, bytes outside ASCII stay as they are.
inline std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace gan::storage
