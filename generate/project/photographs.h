#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace gan::project {

// The file itself, or all files below a folder, sorted by path. A folder `results` below it is left out, because it
// holds the results of an earlier call. Throws DataError when nothing exists at the path or the folder is empty.
std::vector<std::filesystem::path> ListPhotographs(const std::filesystem::path& source,
                                                   const std::filesystem::path& results);

// A photograph as training sees it, float [3, side, side] in [-1, 1]: decoded, resized and cropped as gan-preprocess
// does with its default options, to a record of 128 px (256 px for a generator of that size), which is averaged down to
// `side`. A photograph whose short side is smaller than a record is resized to `side` at once. Throws DataError naming
// the file and the reason, IoError.
std::vector<float> ReadPhotograph(const std::filesystem::path& file, std::size_t side);

}  // namespace gan::project
