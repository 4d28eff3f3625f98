#include "preprocess/inputs/labels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "preprocess/inputs/path_text.h"
#include "preprocess/inputs/sources.h"
#include "storage/counted.h"
#include "storage/lower.h"

namespace gan::preprocess {

namespace {

constexpr std::array<std::string_view, 7> kPartitions = {"train",      "training", "val",    "valid",
                                                         "validation", "test",     "testing"};

bool IsPartition(std::string_view folder) {
  return std::find(kPartitions.begin(), kPartitions.end(), storage::Lower(folder)) != kPartitions.end();
}

// The longest common beginning that ends with a slash.
std::string_view CommonFolders(std::string_view one, std::string_view other) {
  const auto end = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
  return FoldersOf(one.substr(0, static_cast<std::size_t>(end - one.begin())));
}

// The last folder of "a/b/"; empty when there is none.
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

// The classes of names [begin, end), which are paths in one folder or archive; `name` returns nothing for those that do
// not count. All names are read before any class is known, because a single name in another folder can change the
// common folders.
class Tree {
 public:
  using Name = std::function<std::optional<std::string_view>(std::uint64_t)>;

  Tree(std::uint64_t begin, std::uint64_t end, Name name) : begin_(begin), end_(end), name_(std::move(name)) {
    FindCommonFolders();
    has_partitions_ = All([](std::string_view below) { return IsPartition(FirstFolder(below)); });
    has_classes_ = !All([this](std::string_view below) { return FirstFolder(AfterPartition(below)).empty(); });
  }

  bool HasClasses() const { return has_classes_; }
  std::string_view ClassOf(std::string_view name) const {
    return FirstFolder(AfterPartition(name.substr(common_.size())));
  }
  // For a tree without classes: the innermost folder that contains everything. Empty when no such folder can be a
  // class.
  std::string_view OnlyFolder() const {
    const std::string_view last = LastFolder(common_);
    return IsPartition(last) ? std::string_view() : last;
  }

 private:
  void FindCommonFolders() {
    bool is_first = true;
    for (std::uint64_t i = begin_; i < end_; ++i) {
      const std::optional<std::string_view> name = name_(i);
      if (!name) continue;
      common_ = is_first ? FoldersOf(*name) : CommonFolders(common_, FoldersOf(*name));
      is_first = false;
    }
  }

  std::string_view AfterPartition(std::string_view below) const {
    return has_partitions_ ? below.substr(below.find('/') + 1) : below;
  }

  template <typename Holds>
  bool All(const Holds& holds) const {
    for (std::uint64_t i = begin_; i < end_; ++i) {
      const std::optional<std::string_view> name = name_(i);
      if (name && !holds(name->substr(common_.size()))) return false;
    }
    return true;
  }

  const std::uint64_t begin_, end_;
  const Name name_;
  std::string_view common_;
  bool has_partitions_ = false;
  bool has_classes_ = false;
};

Tree TreeOf(const SourceList& sources, std::uint64_t begin, std::uint64_t end) {
  return {begin, end, [&sources](std::uint64_t i) -> std::optional<std::string_view> {
            if (sources.WhyRejected(i) != nullptr) return std::nullopt;
            return sources.Name(i);
          }};
}

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

// `folder_class`: the class that the folders around a container give it; empty: none.
void LabelOrigin(const LabelOptions& options, SourceList& sources, std::uint64_t begin, std::uint64_t end,
                 std::string_view folder_class) {
  const bool always = options.mode == LabelMode::kFolder;
  // With --labels auto a source's own labels come before its folders.
  if (!always && (sources.KnowsLabels(begin) || !options.column.empty())) return;
  if (sources.IsListed(begin)) {
    if (always || HasTwoFolders(sources, begin, end)) LabelListed(sources, begin, end);
    return;
  }
  const Tree tree = TreeOf(sources, begin, end);
  if (!always && !tree.HasClasses() && folder_class.empty()) return;
  std::string only(folder_class.empty() ? tree.OnlyFolder() : folder_class);
  if (only.empty()) only = NameOfRoot(sources, begin);
  for (std::uint64_t i = begin; i < end; ++i) {
    if (sources.WhyRejected(i) != nullptr) continue;
    sources.SetLabel(i, tree.HasClasses() ? tree.ClassOf(sources.Name(i)) : std::string_view(only));
  }
}

// "cat/a.tar" for a container in the data set of a folder.
std::string PlaceInDataSet(const SourceList& sources, std::uint64_t i) {
  return sources.Root(i).lexically_relative(sources.DataSet(i)).generic_string();
}

// Labels the containers of one folder, from input `begin` on, by the class folders that may contain them. Returns the
// end of their inputs.
std::uint64_t LabelDataSet(const LabelOptions& options, SourceList& sources, std::uint64_t begin) {
  std::vector<std::uint64_t> firsts;
  std::vector<std::string> places;
  std::uint64_t end = begin;
  for (; end < sources.size() && sources.DataSet(end) == sources.DataSet(begin); end = sources.EndOfOrigin(end)) {
    firsts.push_back(end);
    places.push_back(PlaceInDataSet(sources, end));
  }
  // The class folders contain containers as they contain pictures elsewhere, so the same rule finds the classes.
  const Tree folders(0, places.size(), [&](std::uint64_t i) { return std::optional<std::string_view>(places[i]); });
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    LabelOrigin(options, sources, firsts[i], sources.EndOfOrigin(firsts[i]),
                folders.HasClasses() ? folders.ClassOf(places[i]) : std::string_view());
  }
  return end;
}

}  // namespace

std::string_view Name(LabelMode mode) {
  constexpr std::array<std::string_view, 3> kModeNames = {"none", "folder", "auto"};
  return kModeNames[static_cast<std::size_t>(mode)];
}

void LabelByFolders(const LabelOptions& options, SourceList& sources) {
  if (options.mode == LabelMode::kNone) return;
  for (std::uint64_t begin = 0; begin < sources.size();) {
    if (!sources.DataSet(begin).empty()) {
      begin = LabelDataSet(options, sources, begin);
      continue;
    }
    const std::uint64_t end = sources.EndOfOrigin(begin);
    LabelOrigin(options, sources, begin, end, "");
    begin = end;
  }
}

void TellAboutLabels(const LabelOptions& options, SourceList& sources) {
  if (options.mode == LabelMode::kNone) return;
  const std::vector<std::string> names = sources.LabelNames();
  if (names.empty()) return sources.Note("the source has no labels");
  if (names.size() == 1) return sources.Note("all pictures have one label: " + names[0]);
  const std::uint64_t without = sources.CountWithoutLabel();
  if (without > 0)
    sources.Note(storage::Counted(without, "input has no label of its own: its label is empty",
                                  "inputs have no label of their own: theirs is empty"));
}

}  // namespace gan::preprocess
