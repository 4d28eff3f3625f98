#pragma once

#include <string>

namespace gan::storage {

// The kernel's name of this machine; "localhost" when it has none.
std::string HostName();

}  // namespace gan::storage
