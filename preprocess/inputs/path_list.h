// Text lists of paths, one per line or, if the text contains a NUL, separated by NUL.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace gan::preprocess {

// Returns the next block of a list of paths; empty at its end.
using ReadBlock = std::function<std::string()>;
// Reads the next block from an open file; `list` is its name in errors. Throws IoError.
std::string NextBlock(int descriptor, const std::filesystem::path& list);

// Calls `take` for every path, in the list's order. A byte-order mark is not part of the first path. Throws UsageError
// with `list` and the recognised type when the content is not a list of paths.
void ReadPaths(const std::string& list, const ReadBlock& read, const std::function<void(std::string_view)>& take);
// Reads such a list from a file.
void ReadPathsOfFile(const std::filesystem::path& list, const std::function<void(std::string_view)>& take);

}  // namespace gan::preprocess
