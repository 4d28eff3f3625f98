// Finds the file that a call is about, without any call that the shim itself intercepts.
#pragma once

#include <string>

namespace gan::faults {

// The path of an open descriptor. Keeps errno.
std::string PathOf(int descriptor);
// The full path of `path`, seen from the folder of descriptor `folder` (AT_FDCWD: where the process is), without a
// slash at the end.
std::string Absolute(int folder, const char* path);

}  // namespace gan::faults
