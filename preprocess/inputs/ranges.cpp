#include "preprocess/inputs/ranges.h"

#include <cstdint>
#include <regex>

#include "storage/errors.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kMostNames = 1'000'000;

std::string Padded(std::uint64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

}  // namespace

std::vector<std::string> ExpandRanges(const std::string& text) {
  // Most shells expand such braces themselves. They arrive here when they were quoted, or when no shell was used.
  static const std::regex kRange(R"(\{(\d{1,9})\.\.(\d{1,9})\})");
  std::smatch range;
  if (!std::regex_search(text, range, kRange)) return {text};
  const std::uint64_t first = std::stoull(range[1]), last = std::stoull(range[2]);
  if (first > last)
    throw UsageError(text + ": " + range[0].str() + " stands for no file; its first number is the larger");
  // The rest of the text is expanded first, so that the last range varies fastest.
  const std::vector<std::string> rests = ExpandRanges(range.suffix());
  std::vector<std::string> names;
  for (std::uint64_t number = first; number <= last; ++number) {
    const std::string beginning = range.prefix().str() + Padded(number, range[1].str().size());
    for (const std::string& rest : rests) names.push_back(beginning + rest);
    if (names.size() > kMostNames) throw UsageError(text + ": stands for over a million files");
  }
  return names;
}

}  // namespace gan::preprocess
