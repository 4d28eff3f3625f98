#include "preprocess/inputs/labels.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <set>
#include <string_view>

#include "preprocess/inputs/path_text.h"
#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

namespace {

constexpr std::array<std::string_view, 7> kPartitions = {"train",      "training", "val",    "valid",
                                                         "validation", "test",     "testing"};

bool IsPartition(std::string_view folder) {
  return std::find(kPartitions.begin(), kPartitions.end(), folder) != kPartitions.end();
}

// The longest beginning of both that ends with a slash.
std::string_view CommonFolders(std::string_view one, std::string_view other) {
  const auto end = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
  return FoldersOf(one.substr(0, static_cast<std::size_t>(end - one.begin())));
}

// The last of "a/b/"; empty when there is none.
std::string_view LastFolder(std::string_view folders) {
  if (folders.empty()) return {};
  folders.remove_suffix(1);
  return folders.substr(folders.rfind('/') + 1);
}

std::string_view FirstFolder(std::string_view name) {
  const std::size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

// "cats" of "data/cats.tar.gz", and of the folder "data/cats/".
std::string NameOfRoot(const SourceList& sources, std::uint64_t i) {
  const std::filesystem::path root = std::filesystem::absolute(sources.Root(i)).lexically_normal();
  std::string name = (root.has_filename() ? root : root.parent_path()).filename().string();
  if (sources.InContainer(i)) name.erase(std::min(name.find('.', 1), name.size()));
  return name;
}

// The classes of one folder or archive, whose inputs are [begin, end).
class Tree {
 public:
  Tree(SourceList& sources, std::uint64_t begin, std::uint64_t end) : sources_(sources), begin_(begin), end_(end) {
    FindCommonFolders();
    has_partitions_ = All([](std::string_view below) { return IsPartition(FirstFolder(below)); });
    is_flat_ = All([this](std::string_view below) { return FirstFolder(AfterPartition(below)).empty(); });
  }

  bool HasClasses() const { return !is_flat_; }

  void Label() {
    const std::string only = is_flat_ ? OnlyClass() : std::string();
    for (std::uint64_t i = begin_; i < end_; ++i) {
      if (sources_.WhyRejected(i) != nullptr) continue;
      sources_.SetLabel(i, is_flat_ ? std::string_view(only) : FirstFolder(AfterPartition(Below(i))));
    }
  }

 private:
  void FindCommonFolders() {
    bool is_first = true;
    for (std::uint64_t i = begin_; i < end_; ++i) {
      if (sources_.WhyRejected(i) != nullptr) continue;
      const std::string_view folders = FoldersOf(sources_.Name(i));
      common_ = is_first ? folders : CommonFolders(common_, folders);
      is_first = false;
    }
  }

  std::string_view Below(std::uint64_t i) const { return sources_.Name(i).substr(common_.size()); }

  std::string_view AfterPartition(std::string_view below) const {
    return has_partitions_ ? below.substr(below.find('/') + 1) : below;
  }

  template <typename Holds>
  bool All(const Holds& holds) const {
    for (std::uint64_t i = begin_; i < end_; ++i) {
      if (sources_.WhyRejected(i) == nullptr && !holds(Below(i))) return false;
    }
    return true;
  }

  std::string OnlyClass() const {
    const std::string_view last = LastFolder(common_);
    return last.empty() || IsPartition(last) ? NameOfRoot(sources_, begin_) : std::string(last);
  }

  SourceList& sources_;
  const std::uint64_t begin_, end_;
  std::string_view common_;
  bool has_partitions_ = false;
  bool is_flat_ = false;
};

void LabelListed(SourceList& sources, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t i = begin; i < end; ++i) {
    if (sources.WhyRejected(i) == nullptr) sources.SetLabel(i, LastFolder(FoldersOf(sources.Name(i))));
  }
}

bool HasTwoFolders(const SourceList& sources, std::uint64_t begin, std::uint64_t end) {
  const std::string_view first = FoldersOf(sources.Name(begin));
  for (std::uint64_t i = begin + 1; i < end; ++i) {
    if (FoldersOf(sources.Name(i)) != first) return true;
  }
  return false;
}

void LabelOrigin(const LabelOptions& options, SourceList& sources, std::uint64_t begin, std::uint64_t end) {
  const bool always = options.mode == LabelMode::kFolder;
  if (!always && (sources.KnowsLabels(begin) || !options.column.empty())) return;
  if (sources.IsListed(begin)) {
    if (always || HasTwoFolders(sources, begin, end)) LabelListed(sources, begin, end);
    return;
  }
  Tree tree(sources, begin, end);
  if (always || tree.HasClasses()) tree.Label();
}

}  // namespace

std::string_view Name(LabelMode mode) {
  constexpr std::array<std::string_view, 3> kModeNames = {"none", "folder", "auto"};
  return kModeNames[static_cast<std::size_t>(mode)];
}

void LabelByFolders(const LabelOptions& options, SourceList& sources) {
  if (options.mode == LabelMode::kNone) return;
  for (std::uint64_t begin = 0; begin < sources.size();) {
    const std::uint64_t end = sources.EndOfOrigin(begin);
    LabelOrigin(options, sources, begin, end);
    begin = end;
  }
}

void TellAboutLabels(const LabelOptions& options, SourceList& sources) {
  if (options.mode == LabelMode::kNone) return;
  const std::vector<std::string> names = sources.LabelNames();
  if (names.empty()) return sources.Note("the source has no labels");
  if (names.size() == 1) return sources.Note("all pictures have one label: " + names[0]);
  const std::uint64_t without = sources.CountWithoutLabel();
  if (without > 0) sources.Note(std::to_string(without) + " inputs have no label of their own: theirs is empty");
}

}  // namespace gan::preprocess
