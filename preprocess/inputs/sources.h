// Finds the pictures of a run in folders, archives, lists of paths and single files. Their order depends on these
// inputs alone.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "preprocess/image/rejected.h"
#include "preprocess/inputs/container.h"
#include "preprocess/inputs/labels.h"
#include "preprocess/inputs/left_out.h"
#include "preprocess/inputs/path_list.h"

namespace gan::preprocess {

// Stores texts one after another in large blocks, so a million paths cost hardly more than their length. The texts live
// as long as the arena.
class TextArena {
 public:
  std::string_view Keep(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;
  std::size_t room_ = 0;
};

// Every input of a run, by number. Built once, then read from many threads.
class SourceList {
 public:
  enum class Kind { kFolder, kList, kContainer };

  // Begins an input of the command line: a folder or a container. All that is begun from now on belongs to it.
  void BeginInput(std::filesystem::path given) { given_ = std::move(given); }
  // Begins an origin of pictures: they are below `root` (kFolder) or at their own path (kList).
  void Begin(Kind kind, const std::filesystem::path& root) {
    origins_.push_back({.kind = kind, .root = root, .given = given_});
  }
  // Begins an origin of pictures in a container, which `open` opens. `bytes`: size of the container, if the sizes of
  // its pictures are unknown. `own_name_bytes`: length of the beginning of each picture's name that names the
  // container.
  void BeginContainer(const std::filesystem::path& file, OpenContainer open, std::uint64_t bytes = 0,
                      std::size_t own_name_bytes = 0) {
    origins_.push_back({.kind = Kind::kContainer,
                        .root = file,
                        .given = given_,
                        .open = std::move(open),
                        .bytes = bytes,
                        .data_set = data_set_,
                        .own_name_bytes = own_name_bytes});
  }
  // The file of the container that was begun last, where that is named by another path: a database by its folder, an
  // array by its path in an archive.
  void SetFile(const std::filesystem::path& file) { origins_.back().file = file; }
  // Containers that are added between these two calls are the data set of a folder.
  void BeginDataSet(const std::filesystem::path& folder) { data_set_ = folder; }
  void EndDataSet() { data_set_.clear(); }
  // `position`, `is_link`: for a picture in a container, as in ArchiveMember.
  void Add(std::string_view name, std::uint64_t bytes, std::uint32_t position = 0, bool is_link = false);
  // An input that is known to be rejected already.
  void AddRejected(std::string_view name, Reason reason, const std::string& detail);
  // Sorts the inputs added since `first` by name.
  void SortFrom(std::uint64_t first);
  // Drops the inputs added since `first` for which `keep` is false.
  void KeepFrom(std::uint64_t first, const std::function<bool(std::uint64_t)>& keep);

  // The time at which the next input was changed, where its container gives one. A .zip may hold local times, which
  // depend on the time zone of the reader; those differ by whole quarters of an hour, so only the rest counts.
  void NoteTime(std::int64_t unix_seconds) {
    constexpr std::int64_t kQuarterHour = 900;
    const std::int64_t rest = (unix_seconds % kQuarterHour + kQuarterHour) % kQuarterHour;
    constexpr std::uint64_t kMultiplier = 6364136223846793005U;  // of Knuth's generator MMIX
    times_ = times_ * kMultiplier + static_cast<std::uint64_t>(rest);
  }
  // A number that depends on all of these times and their order.
  std::uint64_t times() const { return times_; }

  // Files that were found and are not inputs.
  LeftOut& left_out() { return left_out_; }
  const LeftOut& left_out() const { return left_out_; }
  // Sentences for the user.
  void Note(std::string text) { notes_.push_back(std::move(text)); }
  const std::vector<std::string>& notes() const { return notes_; }

  std::uint64_t size() const { return entries_.size(); }
  std::string_view Name(std::uint64_t i) const { return {entries_[i].name, entries_[i].name_bytes}; }
  // The name of an input in the shard and in the quarantine: its path in the input that was given, including the path
  // in its container. If several inputs were given, the name begins with the path of its input below their common
  // folder; a listed path is used as listed. So pictures of the same name in several tars or folders stay distinct, and
  // names do not change when a folder grows.
  std::string RecordName(std::uint64_t i) const;
  // Call it once, before the first RecordName(). `adds`: the inputs are added to an existing data set, so one container
  // counts as several.
  void NamePlaces(bool adds);
  std::uint64_t Bytes(std::uint64_t i) const { return entries_[i].bytes; }
  bool KnowsBytes(std::uint64_t i) const { return OriginOf(i).bytes == 0; }  // false: Bytes() is 0 until it is read
  bool InContainer(std::uint64_t i) const { return OriginOf(i).kind == Kind::kContainer; }
  bool IsListed(std::uint64_t i) const { return OriginOf(i).kind == Kind::kList; }
  const std::filesystem::path& Root(std::uint64_t i) const { return OriginOf(i).root; }
  // The folder whose data set contains the container of input i; empty: none.
  const std::filesystem::path& DataSet(std::uint64_t i) const { return OriginOf(i).data_set; }
  // The file to open; for a picture in a container, that of the container.
  std::filesystem::path Path(std::uint64_t i) const;
  std::unique_ptr<ContainerReader> OpenContainerOf(std::uint64_t i) const { return OriginOf(i).open(); }
  std::uint32_t Position(std::uint64_t i) const { return entries_[i].position; }  // among the container's entries
  // its bytes are those of another entry of the archive
  bool IsLink(std::uint64_t i) const { return entries_[i].is_link != 0; }
  const Rejected* WhyRejected(std::uint64_t i) const;  // null: not rejected so far
  // One past the last input that was added after the same Begin() as input i.
  std::uint64_t EndOfOrigin(std::uint64_t i) const;

  // Labels (labels.h) are stored as UTF-8; invalid bytes are replaced. Throws DataError when there are over kMaxLabels.
  static constexpr std::size_t kMaxLabels = 100'000;
  void SetLabel(std::uint64_t i, std::string_view label);
  // Sets a label that a source states. There, -1 means no label. Other numbers are labels.
  void SetClass(std::uint64_t i, std::string_view label) { SetLabel(i, label == "-1" ? std::string_view() : label); }
  // Names in the source's own order. They come before all others, even if no picture has them.
  void DeclareLabels(const std::vector<std::string>& names);
  // Empty when the picture has none.
  const std::string& Label(std::uint64_t i) const { return labels_[entries_[i].label]; }
  // Records that the source itself gives the labels of the inputs added since the last Begin(), even if there are none.
  void KnowLabels() { origins_.back().knows_labels = true; }
  // the same for the origin of input i
  void KnowLabels(std::uint64_t i) { origins_[entries_[i].origin].knows_labels = true; }
  bool KnowsLabels(std::uint64_t i) const { return OriginOf(i).knows_labels; }
  // Notes that a source can take its labels from the column `name`. --label-column chooses among such columns.
  void OfferLabelColumn(std::string_view name) { label_columns_.emplace(name); }
  // Throws UsageError when no source offers `column`; an empty `column` is accepted.
  void RequireLabelColumn(const std::string& column) const;
  std::uint64_t CountWithoutLabel() const;  // among the inputs that may become records
  // Each label of the inputs that may become records, once: declared names, then numbers in their order, then other
  // names sorted. Empty when no picture has a label.
  std::vector<std::string> LabelNames() const;
  // XXH3-128 of names, sizes and labels. It shows whether a continued run has the same inputs.
  std::string Digest() const;

 private:
  struct Origin {
    Kind kind = Kind::kList;
    std::filesystem::path root;
    std::filesystem::path given;
    OpenContainer open = nullptr;
    bool knows_labels = false;
    std::uint64_t bytes = 0;
    std::filesystem::path data_set = {};
    std::filesystem::path file = {};  // if it is not `root`
    std::size_t own_name_bytes = 0;
    std::string place = {};  // prefix of the names of records
  };
  struct Entry {
    const char* name;
    std::uint64_t bytes;
    std::uint32_t name_bytes;
    std::uint32_t origin;
    std::uint32_t position;
    std::uint32_t label;           // place in labels_; 0: none
    std::uint32_t rejection : 31;  // place in rejections_ plus one; 0: none
    std::uint32_t is_link : 1;
  };
  const Origin& OriginOf(std::uint64_t i) const { return origins_[entries_[i].origin]; }
  std::uint32_t Intern(std::string_view label);

  TextArena arena_;
  std::deque<Entry> entries_;  // grows without moving: a vector would hold its contents twice
  std::vector<Origin> origins_;
  std::deque<Rejected> rejections_;
  LeftOut left_out_;
  std::uint64_t times_ = 0;
  std::vector<std::string> notes_;
  std::filesystem::path given_, data_set_;
  std::vector<std::string> labels_ = {""};
  std::unordered_map<std::string, std::uint32_t> label_places_ = {{"", 0}};
  std::set<std::string, std::less<>> label_columns_;
  std::vector<std::uint32_t> declared_labels_;
  std::unordered_set<std::uint32_t> is_declared_;
};

// Files that the program itself writes, which are never inputs: the shard folder and others.
struct OwnFiles {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;
};

// `inputs` are folders (folder.h), containers of many pictures (container.h, in their own order), pictures, text files
// of paths, or "-" for such a text from `standard_input`. They are recognised by name, and otherwise by content.
// `lists` are texts of paths whatever their names. Throws UsageError for an input that does not exist or is none of
// these, DataError when there is no picture at all, IoError when an input itself cannot be opened.
SourceList FindSources(const std::vector<std::filesystem::path>& inputs,
                       const std::vector<std::filesystem::path>& lists, const ReadBlock& standard_input,
                       const OwnFiles& own = {}, const LabelOptions& labels = {});

}  // namespace gan::preprocess
