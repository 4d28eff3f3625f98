#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace gan::launch {

// How many processes the kernel has killed so far for lack of memory: on this host or, if that is unknown, in this
// process's control group.
std::uint64_t MemoryKills();

// The number after `name` in a file of lines "name number"; 0 when there is none.
std::uint64_t CountIn(const std::filesystem::path& file, const std::string& name);

}  // namespace gan::launch
