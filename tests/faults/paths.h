// Which file a call is about, found without any call that the shim itself intercepts.
#pragma once

#include <string>

namespace gan::faults {

// Of an open descriptor; keeps errno.
std::string PathOf(int descriptor);
// Of `path` seen from the folder of descriptor `folder` (AT_FDCWD: where the process is), without a slash at the end.
std::string Absolute(int folder, const char* path);

}  // namespace gan::faults
