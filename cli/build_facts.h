#pragma once

#include <string>

namespace gan::cli {

// What this program was built from and with, one fact a line: version, commit, compiler, build type, libraries.
std::string BuildFacts();

}  // namespace gan::cli
