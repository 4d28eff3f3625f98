#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gan::preprocess {

// One picture to be: where it lies, and the name that the data set remembers (relative to its input folder).
struct Source {
  std::filesystem::path path;
  std::string name;
  std::uint64_t bytes = 0;
};

// The pictures (by file extension) below each folder, recursively, sorted by name, folder after folder. Links to files
// are followed, links to folders are not. Throws UsageError for a folder that is not there, DataError when it holds
// none.
std::vector<Source> FindPictures(const std::vector<std::filesystem::path>& folders);

// XXH3-128 over names and sizes: whether a continued run sees the same inputs.
std::string DigestOf(const std::vector<Source>& sources);

// The first folder of each name ("cats/1.jpg" -> "cats", "1.jpg" -> ""), all of them sorted and once.
std::vector<std::string> LabelNames(const std::vector<Source>& sources);
std::string LabelOf(const Source& source);

}  // namespace gan::preprocess
