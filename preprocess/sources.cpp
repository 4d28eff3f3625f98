#include "preprocess/sources.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <span>
#include <string_view>

#include "storage/checksum.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 14> kExtensions = {".jpg", ".jpeg", ".jpe",  ".jfif", ".png", ".webp", ".bmp",
                                                          ".dib", ".tif",  ".tiff", ".gif",  ".ppm", ".pgm",  ".pnm"};

bool LooksLikeAPicture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

std::vector<Source> PicturesBelow(const fs::path& folder) {
  if (!fs::exists(folder)) throw UsageError("--in " + folder.string() + ": no such folder");
  if (!fs::is_directory(folder)) throw UsageError("--in " + folder.string() + ": not a folder");
  std::vector<Source> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    std::error_code unreadable;  // a dangling link is no picture
    if (!LooksLikeAPicture(entry.path()) || !entry.is_regular_file(unreadable)) continue;
    const std::uint64_t bytes = entry.file_size(unreadable);
    found.push_back({entry.path(), entry.path().lexically_relative(folder).string(), unreadable ? 0 : bytes});
  }
  std::sort(found.begin(), found.end(), [](const Source& a, const Source& b) { return a.name < b.name; });
  return found;
}

}  // namespace

std::vector<Source> FindPictures(const std::vector<fs::path>& folders) {
  std::vector<Source> all;
  for (const fs::path& folder : folders) {
    std::vector<Source> found = PicturesBelow(folder);
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  if (all.empty()) throw DataError(folders.at(0), "holds no pictures (JPEG, PNG, WebP, BMP or TIFF)");
  return all;
}

std::string DigestOf(const std::vector<Source>& sources) {
  storage::Digest digest;
  for (const Source& source : sources) {
    const std::string line = source.name + '\0' + std::to_string(source.bytes) + '\n';
    digest.Update(std::as_bytes(std::span(line)));
  }
  return digest.Text();
}

std::string LabelOf(const Source& source) {
  const std::size_t slash = source.name.find('/');
  return slash == std::string::npos ? "" : source.name.substr(0, slash);
}

std::vector<std::string> LabelNames(const std::vector<Source>& sources) {
  std::set<std::string> names;
  for (const Source& source : sources) names.insert(LabelOf(source));
  return {names.begin(), names.end()};
}

}  // namespace gan::preprocess
