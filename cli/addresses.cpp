#include "cli/addresses.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace gan::cli {

namespace {

constexpr std::string_view kMark = "://";
constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool IsOfScheme(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '.' || c == '-'; }

// The start of the scheme that ends at `end`, but not before `from`; `end` when there is no scheme. A scheme begins
// with a letter (RFC 3986, section 3.1).
std::size_t BeginOfScheme(std::string_view text, std::size_t from, std::size_t end) {
  std::size_t begin = end;
  while (begin > from && IsOfScheme(text[begin - 1])) --begin;
  while (begin < end && !IsLetter(text[begin])) ++begin;
  return begin;
}

}  // namespace

// No regular expression is used, because those of libstdc++ overflow the stack on a long text.
std::string WithoutAddresses(std::string_view text) {
  std::string kept;
  std::size_t done = 0;
  for (std::size_t mark = text.find(kMark); mark != std::string_view::npos; mark = text.find(kMark, mark)) {
    // `done` bounds the search backwards, which keeps the time proportional to the length: no character is looked at
    // again for the next mark.
    const std::size_t begin = BeginOfScheme(text, done, mark);
    mark += kMark.size();
    const std::size_t end = std::min(text.find_first_of(kWhiteSpace, mark), text.size());
    if (begin + kMark.size() == mark || end == mark) continue;
    kept.append(text.substr(done, begin - done)).append("(an address)");
    done = mark = end;
  }
  return kept.append(text.substr(done));
}

}  // namespace gan::cli
