#pragma once

#include <string>
#include <string_view>

namespace gan::monitoring {

// RFC 4648, section 4, with padding: for credentials and for pictures inside a page.
std::string Base64(std::string_view bytes);

}  // namespace gan::monitoring
