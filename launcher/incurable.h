// Failures that no restart can cure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "launcher/command_line.h"

namespace gan::launch {

// Describes such a failure, or returns "" when there is none: a disk that has no space for even a small file in `run`,
// or, when nothing was saved yet, a /dev/shm that is too small for the shared memory of Open MPI's ranks.
std::string WhyIncurable(const LaunchOptions& options, const std::filesystem::path& run, bool saved_something);

// Why `run` cannot be written permanently: a full disk, a quota, a read-only file system; "" when it can be written.
std::string WhyDiskIsFull(const std::filesystem::path& run);

// Makes this check for a /dev/shm with a total size of `bytes`.
std::string WhySharedMemoryIsTooSmall(const LaunchOptions& options, std::uint64_t bytes);

// Throws UsageError when the mpirun in PATH belongs to another MPI library than the programs: it would start every rank
// as a separate training with one rank. Sets options.runtime.
void RequireOwnMpirun(LaunchOptions& options);

// The MPI library that printed `version` for `mpirun --version`; "" when it is unknown.
std::string LibraryOf(std::string_view version);

}  // namespace gan::launch
