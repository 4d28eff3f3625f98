#include <algorithm>
#include <span>

#include "preprocess/inputs/sources.h"
#include "storage/checksum.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kArenaBlockBytes = std::size_t{1} << 20;

}  // namespace

std::string_view TextArena::Keep(std::string_view text) {
  if (blocks_.empty() || text.size() > room_ - used_) {
    // The rest of the last block stays unused; it is shorter than the text that did not fit.
    room_ = std::max(kArenaBlockBytes, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    used_ = 0;
  }
  char* const at = blocks_.back().get() + used_;
  std::copy(text.begin(), text.end(), at);
  used_ += text.size();
  return {at, text.size()};
}

void SourceList::Add(std::string_view name, std::uint64_t bytes, std::uint32_t position, bool is_link) {
  const std::string_view kept = arena_.Keep(name);
  entries_.push_back({.name = kept.data(),
                      .bytes = bytes,
                      .name_bytes = static_cast<std::uint32_t>(kept.size()),
                      .origin = static_cast<std::uint32_t>(origins_.size() - 1),
                      .position = position,
                      .label = 0,
                      .rejection = 0,
                      .is_link = is_link});
}

void SourceList::AddRejected(std::string_view name, Reason reason, const std::string& detail) {
  Add(name, 0);
  rejections_.emplace_back(reason, detail);
  entries_.back().rejection = static_cast<std::uint32_t>(rejections_.size());
}

void SourceList::SortFrom(std::uint64_t first) {
  // Sorted by bytes, independently of the locale.
  std::sort(entries_.begin() + static_cast<std::ptrdiff_t>(first), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::string_view(a.name, a.name_bytes) < std::string_view(b.name, b.name_bytes);
  });
}

void SourceList::KeepFrom(std::uint64_t first, const std::function<bool(std::uint64_t)>& keep) {
  std::uint64_t next = first;
  for (std::uint64_t i = first; i < size(); ++i) {
    if (keep(i)) entries_[next++] = entries_[i];
  }
  entries_.resize(next);
}

fs::path SourceList::Path(std::uint64_t i) const {
  const Origin& origin = OriginOf(i);
  if (origin.kind == Kind::kFolder) return origin.root / Name(i);
  if (origin.kind == Kind::kList) return Name(i);
  return origin.file.empty() ? origin.root : origin.file;
}

const Rejected* SourceList::WhyRejected(std::uint64_t i) const {
  return entries_[i].rejection == 0 ? nullptr : &rejections_[entries_[i].rejection - 1];
}

std::uint64_t SourceList::EndOfOrigin(std::uint64_t i) const {
  // Inputs are added origin by origin, and sorted only within one.
  const auto after = [](std::uint32_t origin, const Entry& entry) { return origin < entry.origin; };
  const auto end =
      std::upper_bound(entries_.begin() + static_cast<std::ptrdiff_t>(i), entries_.end(), entries_[i].origin, after);
  return static_cast<std::uint64_t>(end - entries_.begin());
}

// Contents are not included, because every input would have to be read twice. SampleOf() reads a few blocks of them.
std::string SourceList::Digest() const {
  const bool labelled = labels_.size() > 1;
  storage::Digest digest;
  std::string line;
  for (std::uint64_t i = 0; i < size(); ++i) {
    line.assign(Name(i)).append(1, '\0').append(std::to_string(Bytes(i)));
    // For a Parquet file, its size replaces the sizes of its pictures, which are not known yet.
    if (OriginOf(i).bytes > 0) line.append(1, '\0').append(std::to_string(OriginOf(i).bytes));
    if (labelled) line.append(1, '\0').append(Label(i));
    digest.Update(std::as_bytes(std::span(line.append(1, '\n'))));
  }
  return digest.Text();
}

}  // namespace gan::preprocess
