// How much memory this machine has for the job.
#pragma once

#include <filesystem>

namespace gan::host {

// The bytes that all processes of this job may still take on this host: what the kernel calls available, which includes
// caches that it can give back, and at most what the limits of this process's control groups leave. Infinite when the
// kernel does not say. `root`: the root of the file system; tests pass another folder.
double AvailableMemory(const std::filesystem::path& root = "/");

}  // namespace gan::host
