#pragma once

#include <string>
#include <string_view>

namespace gan::cli {

// The text with control characters as \x1B. File names, names of tensors and marks in images may come from untrusted
// sources, and a terminal interprets the control characters in them.
std::string Printable(std::string_view text);
// The text with its control characters as \x1B, except line ends and tabs: for whole messages.
std::string PrintableLines(std::string_view text);

}  // namespace gan::cli
