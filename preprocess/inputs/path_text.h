// Parts of paths as in archives and tables: with slashes, on any machine.
#pragma once

#include <string_view>

namespace gan::preprocess {

// "c.png" of "a/b/c.png".
inline std::string_view FileOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0
// "a/b/" of "a/b/c.png".
inline std::string_view FoldersOf(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

// Maximum size of files that are read whole, such as texts of labels.
inline constexpr std::size_t kMaxTextBytes = std::size_t{256} << 20;

}  // namespace gan::preprocess
