// Walks the control groups of this process, of version 1 and 2.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace gan::host {

// The limit of one group, read from files in its folder; infinite when it has none.
using LimitOf = double (*)(const std::filesystem::path& group);

// The smallest limit of this process's group and its parents. `controller`: the name in version 1, such as "cpu".
// `root`: the root of the file system. Infinite when there is no limit.
double SmallestLimit(const std::filesystem::path& root, const std::string& controller, LimitOf version_1,
                     LimitOf version_2);

// The number after `name` in a file of lines "name number", such as memory.stat; 0 when there is none.
std::uint64_t CountIn(const std::filesystem::path& file, const std::string& name);

}  // namespace gan::host
