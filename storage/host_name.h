#pragma once

#include <string>

namespace gan::storage {

// The name that the kernel has for this machine; "localhost" when it has none.
std::string HostName();

}  // namespace gan::storage
