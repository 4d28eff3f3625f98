#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

// The absolute path, without a slash at the end.
fs::path Whole(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

// The deepest folder that contains both.
fs::path CommonFolder(const fs::path& one, const fs::path& other) {
  fs::path common;
  const auto end = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
  for (auto part = one.begin(); part != end; ++part) common /= *part;
  return common;
}

// The path below `folder`. Empty when `path` is `folder` itself or is outside of it. For a data.mdb, the folder around
// it is used.
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
  std::optional<fs::path> around;  // the folder that contains all inputs
  // One folder or container by itself keeps the names of its members. With --append there may be others from an earlier
  // run, whose names it must not use.
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
  // The name for damage to the container itself.
  if (WhyRejected(i) != nullptr && origin.kind == Kind::kContainer && name == origin.root.filename().native()) {
    return origin.place;
  }
  name.remove_prefix(std::min(origin.own_name_bytes, name.size()));
  if (name.empty() || name.starts_with('/')) return origin.place + std::string(name);
  return origin.place + "/" + std::string(name);
}

}  // namespace gan::preprocess
