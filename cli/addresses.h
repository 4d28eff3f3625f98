#pragma once

#include <string>
#include <string_view>

namespace gan::cli {

// The text with "(an address)" in place of each address such as https://user:password@host/. For messages that may
// repeat what the user wrote. Takes time in proportion to the text, however long it is.
std::string WithoutAddresses(std::string_view text);

}  // namespace gan::cli
