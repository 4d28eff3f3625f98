// What no restart heals.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "launcher/command_line.h"

namespace gan::launch {

// In words, "" when nothing of the kind is found: a disk on which not even a small file in `run` has room; when nothing
// was saved yet, a /dev/shm in which Open MPI's ranks of one host cannot meet.
std::string WhyIncurable(const LaunchOptions& options, const std::filesystem::path& run, bool saved_something);

// The same for a /dev/shm of so many bytes in all.
std::string WhySharedMemoryIsTooSmall(const LaunchOptions& options, std::uint64_t bytes);

// Throws UsageError when the mpirun in PATH belongs to another MPI library than the programs: it would start every rank
// as a training of its own.
void RequireOwnMpirun(const LaunchOptions& options);

// The library of which `version` is what its mpirun says of itself, "" when it is not known.
std::string LibraryOf(std::string_view version);

}  // namespace gan::launch
