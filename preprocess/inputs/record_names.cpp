#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

// Without a slash at the end, wherever the program runs.
fs::path Whole(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

// The deepest folder that holds both.
fs::path CommonFolder(const fs::path& one, const fs::path& other) {
  fs::path common;
  const auto end = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
  for (auto part = one.begin(); part != end; ++part) common /= *part;
  return common;
}

// Empty where `path` is `folder` itself or does not lie in it: a data.mdb stands for the folder around it.
fs::path PlaceIn(const fs::path& path, const fs::path& folder) {
  const fs::path place = path.lexically_relative(folder);
  return place == "." || *place.begin() == ".." ? fs::path() : place;
}

}  // namespace

void SourceList::NamePlaces(bool adds) {
  std::set<fs::path> given;
  bool has_container = false;
  for (const Origin& origin : origins_) {
    if (origin.kind != Kind::kList) given.insert(Whole(origin.given));
    has_container = has_container || origin.kind == Kind::kContainer;
  }
  std::optional<fs::path> around;  // the folder that holds all that was given
  // One folder or container by itself keeps the names that its members have. With --append it may stand beside others
  // of an earlier run, whose names it must not take.
  if (given.size() > 1 || (adds && has_container)) {
    for (const fs::path& one : given) around = around ? CommonFolder(*around, one.parent_path()) : one.parent_path();
  }
  for (Origin& origin : origins_) {
    if (origin.kind == Kind::kList) continue;
    const fs::path whole = Whole(origin.given);
    const fs::path outer = around ? PlaceIn(whole, *around) : fs::path();
    const fs::path inner = PlaceIn(Whole(origin.root), whole);
    origin.place = (inner.empty() ? outer : outer / inner).generic_string();
  }
}

std::string SourceList::RecordName(std::uint64_t i) const {
  const Origin& origin = OriginOf(i);
  std::string_view name = Name(i);
  if (origin.place.empty()) return std::string(name);
  // Of damage to the container itself.
  if (WhyRejected(i) != nullptr && origin.kind == Kind::kContainer && name == origin.root.filename().native()) {
    return origin.place;
  }
  name.remove_prefix(std::min(origin.own_name_bytes, name.size()));
  if (name.empty() || name.starts_with('/')) return origin.place + std::string(name);
  return origin.place + "/" + std::string(name);
}

}  // namespace gan::preprocess
