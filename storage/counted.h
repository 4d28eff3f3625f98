#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace gan::storage {

// "1 step", "2 steps"; `many`: the plural where it is more than an added s.
template <std::integral Number>
std::string Counted(Number number, std::string_view one, std::string_view many = {}) {
  std::string words = std::to_string(number) + " ";
  if (number == 1) return words.append(one);
  return many.empty() ? words.append(one).append("s") : words.append(many);
}

}  // namespace gan::storage
