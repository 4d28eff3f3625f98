#include "cli/printable.h"

#include <cstddef>

namespace gan::cli {

namespace {

// The length of the control character that begins here; 0 when none does. Those from U+0080 to U+009F have two bytes in
// UTF-8, and U+009B has the effect of the two characters ESC [.
std::size_t BytesOfControl(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < ' ' || first == 0x7F) return 1;
  const bool has_second = first == 0xC2 && text.size() > 1;
  return has_second && static_cast<unsigned char>(text[1]) >= 0x80 && static_cast<unsigned char>(text[1]) < 0xA0 ? 2
                                                                                                                 : 0;
}

// kept: the control characters that stay as they are.
std::string Shown(std::string_view text, std::string_view kept) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t bytes = kept.find(text[i]) == kept.npos ? BytesOfControl(text.substr(i)) : 0;
    if (bytes == 0) {
      shown += text[i];
      continue;
    }
    i += bytes - 1;
    const auto value = static_cast<unsigned char>(text[i]);  // the second of two bytes is the number of the character
    shown.append("\\x").append(1, kDigits[value >> 4]).append(1, kDigits[value & 15]);
  }
  return shown;
}

}  // namespace

// Bytes that are not UTF-8 stay, since file names may be in any encoding.
std::string Printable(std::string_view text) { return Shown(text, {}); }

std::string PrintableLines(std::string_view text) { return Shown(text, "\n\t"); }

}  // namespace gan::cli
