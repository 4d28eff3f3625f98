#pragma once

#include <string>

namespace gan::cli {

// The build of this program, one fact per line: version, commit, compiler, build type, libraries.
std::string BuildFacts();
// The version alone: "0.1.0".
std::string Version();

}  // namespace gan::cli
