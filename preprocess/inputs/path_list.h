// Texts of paths: one a line or, where the text contains one, NUL between them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace gan::preprocess {

// The next block of a list of paths; empty at its end.
using ReadBlock = std::function<std::string()>;
// The next block from an open file; `list` names it. Throws IoError.
std::string NextBlock(int descriptor, const std::filesystem::path& list);

// Calls `take` for every path, in the list's order. A byte-order mark is no part of the first one. Throws UsageError,
// naming `list` and what it looks like, when the text is none.
void ReadPaths(const std::string& list, const ReadBlock& read, const std::function<void(std::string_view)>& take);
// The same for a file.
void ReadPathsOfFile(const std::filesystem::path& list, const std::function<void(std::string_view)>& take);

}  // namespace gan::preprocess
