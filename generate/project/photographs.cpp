#include "generate/project/photographs.h"

#include <algorithm>
#include <span>

#include "preprocess/decode/decode.h"
#include "preprocess/resize/resample.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::project {

namespace fs = std::filesystem;
using preprocess::Rgb8;

namespace {

constexpr std::size_t kRecordSide = 128;  // gan-preprocess --size

Rgb8 Decoded(const fs::path& file) {
  const std::string bytes = storage::ReadFile(file);
  try {
    return preprocess::Decode(std::as_bytes(std::span(bytes)), {});
  } catch (const preprocess::Rejected& rejected) {
    throw DataError(file, std::string(preprocess::Name(rejected.reason())) + ": " + rejected.what());
  }
}

Rgb8 Cropped(const fs::path& file, std::size_t side) {
  const Rgb8 image = Decoded(file);
  // The photograph is treated like a training image: resized to the size of a record, then averaged over blocks. A
  // photograph that was resized in another way would differ from everything that the generator has seen.
  const std::size_t record = std::max(kRecordSide, side);
  const bool small = std::min(image.width, image.height) < record;
  try {
    return preprocess::ResizeAndCrop(image, static_cast<std::uint32_t>(small ? side : record),
                                     preprocess::Filter::kBilinear);
  } catch (const preprocess::Rejected& rejected) {
    throw DataError(file, std::string(preprocess::Name(rejected.reason())) + ": " + rejected.what());
  }
}

}  // namespace

std::vector<fs::path> ListPhotographs(const fs::path& source, const fs::path& results) {
  if (!fs::exists(source)) throw DataError(source, "no such file or folder");
  if (!fs::is_directory(source)) return {source};
  std::vector<fs::path> files;
  std::error_code none;  // no results yet
  for (auto entry = fs::recursive_directory_iterator(source); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_regular_file()) files.push_back(entry->path());
    if (entry->is_directory() && fs::equivalent(entry->path(), results, none)) entry.disable_recursion_pending();
  }
  if (files.empty()) throw DataError(source, "the folder holds no files");
  // File systems list the files of a folder in different orders.
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<float> ReadPhotograph(const fs::path& file, std::size_t side) {
  const Rgb8 image = Cropped(file, side);
  const std::size_t block = image.width / side;
  const float factor = 1 / (127.5F * static_cast<float>(block * block));
  // Maps the mean over a block from [0, 255] to [-1, 1]: starts at -1 and adds the contribution of each pixel.
  std::vector<float> photograph(3 * side * side, -1);
  for (std::size_t y = 0; y < side * block; ++y) {
    for (std::size_t x = 0; x < side * block; ++x) {
      const std::uint8_t* pixel = &image.pixels[3 * (y * image.width + x)];
      const std::size_t at = y / block * side + x / block;
      for (std::size_t c = 0; c < 3; ++c) photograph[c * side * side + at] += factor * static_cast<float>(pixel[c]);
    }
  }
  return photograph;
}

}  // namespace gan::project
