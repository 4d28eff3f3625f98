#pragma once

#include <string>
#include <string_view>

namespace gan::monitoring {

// Base64 as in RFC 4648, section 4, with padding. Used for credentials and for images inside a page.
std::string Base64(std::string_view bytes);

}  // namespace gan::monitoring
