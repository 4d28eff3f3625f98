// Parts of paths as they stand in archives and tables: with slashes, on any machine.
#pragma once

#include <string_view>

namespace gan::preprocess {

// "c.png" of "a/b/c.png".
inline std::string_view FileOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }  // npos + 1 is 0
// "a/b/" of "a/b/c.png".
inline std::string_view FoldersOf(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

// What is read whole, as texts of labels, has at most so many bytes.
inline constexpr std::size_t kMaxTextBytes = std::size_t{256} << 20;

}  // namespace gan::preprocess
