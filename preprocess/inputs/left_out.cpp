#include "preprocess/inputs/left_out.h"

#include <algorithm>
#include <cctype>

#include "storage/lower.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kMostKinds = 1000;
constexpr std::size_t kExamples = 3;
constexpr std::size_t kLongestExtension = 10;

// Keeps the first few by name, so that they do not depend on the order in which a file system lists its files.
void KeepExample(std::string_view name, std::vector<std::string>& examples) {
  const auto place = std::lower_bound(examples.begin(), examples.end(), name);
  if (examples.size() == kExamples && place == examples.end()) return;
  examples.emplace(place, name);
  if (examples.size() > kExamples) examples.pop_back();
}

}  // namespace

void LeftOut::Count(std::string_view kind, std::string_view name) {
  ++files_;
  auto found = kinds_.find(kind);
  if (found == kinds_.end()) {
    found = kinds_.try_emplace(std::string(kinds_.size() < kMostKinds ? kind : "others")).first;
  }
  ++found->second.files;
  KeepExample(name, found->second.examples);
}

void LeftOut::CountByExtension(std::string_view name) {
  const std::string_view file = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = file.rfind('.');
  const std::string extension(dot == 0 || dot == file.npos ? "" : file.substr(dot));
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0; };
  // "photo.Copy of last summer" has no extension, so its ending must not count as a kind.
  const bool is_extension = extension.size() > 1 && extension.size() <= kLongestExtension &&
                            std::all_of(extension.begin() + 1, extension.end(), is_plain);
  if (!is_extension) return Count("no extension", name);
  Count(storage::Lower(extension), name);
}

std::string LeftOut::Words() const {
  std::string words;
  for (const auto& [kind, found] : kinds_) {
    words += (words.empty() ? "" : ", ") + std::to_string(found.files) + " " + kind + " (";
    for (std::size_t i = 0; i < found.examples.size(); ++i) words += (i == 0 ? "" : ", ") + found.examples[i];
    words += found.files > found.examples.size() ? ", ...)" : ")";
  }
  return words;
}

bool IsHiddenName(std::string_view component) {
  if (component == "." || component == "..") return false;
  return component.starts_with('.') || component == "__MACOSX";
}

bool HasHiddenPart(std::string_view path) {
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    if (IsHiddenName(path.substr(at, slash - at))) return true;
    at = slash + 1;
  }
  return false;
}

}  // namespace gan::preprocess
