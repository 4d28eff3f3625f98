// Finds out how much memory this machine has for the job.
#pragma once

#include <filesystem>

namespace gan::host {

// The bytes that all processes of this job may still allocate on this host: the kernel's available memory, limited by
// this process's control groups. Both include caches that can be freed. Infinite when the kernel does not report it.
// `root`: the root of the file system; tests pass another folder.
double AvailableMemory(const std::filesystem::path& root = "/");

}  // namespace gan::host
