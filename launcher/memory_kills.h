#pragma once

#include <cstdint>

namespace gan::launch {

// How many processes the kernel has killed so far for lack of memory: on this host or, if that is unknown, in this
// process's control group.
std::uint64_t MemoryKills();

}  // namespace gan::launch
