// Which pictures a run is about: folders, archives, lists of paths and single files, in an order that depends on
// nothing but them.
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

// Characters that live as long as the arena, one after another in large blocks: a million paths cost their length.
class TextArena {
 public:
  std::string_view Keep(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;
  std::size_t room_ = 0;
};

// Every input of a run, by number. Made once, then read from many threads.
class SourceList {
 public:
  enum class Kind { kFolder, kList, kContainer };

  // What is given to the program: a folder or a container. What is begun from now on comes from it.
  void BeginInput(std::filesystem::path given) { given_ = std::move(given); }
  // What the next ones belong to: pictures lie below `root` (kFolder) or at their own path (kList).
  void Begin(Kind kind, const std::filesystem::path& root) {
    origins_.push_back({.kind = kind, .root = root, .given = given_});
  }
  // The same for a file of many pictures, which `open` opens. `bytes`: the file's, where its pictures' are not known.
  // `own_name_bytes`: so much of each picture's name is the file's own.
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
  // The containers between these two are the data set of a folder.
  void BeginDataSet(const std::filesystem::path& folder) { data_set_ = folder; }
  void EndDataSet() { data_set_.clear(); }
  // `position`, `is_link`: of a container's picture, as ArchiveMember has them.
  void Add(std::string_view name, std::uint64_t bytes, std::uint32_t position = 0, bool is_link = false);
  // An input that is known to be none already.
  void AddRejected(std::string_view name, Reason reason, const std::string& detail);
  // Those added since `first` in the order of their names.
  void SortFrom(std::uint64_t first);
  // Drops those added since `first` that `keep` does not hold for.
  void KeepFrom(std::uint64_t first, const std::function<bool(std::uint64_t)>& keep);

  // Files that were seen and are no inputs.
  LeftOut& left_out() { return left_out_; }
  const LeftOut& left_out() const { return left_out_; }
  // Sentences for the user.
  void Note(std::string text) { notes_.push_back(std::move(text)); }
  const std::vector<std::string>& notes() const { return notes_; }

  std::uint64_t size() const { return entries_.size(); }
  std::string_view Name(std::uint64_t i) const { return {entries_[i].name, entries_[i].name_bytes}; }
  // What the shard and the quarantine call it: where it lies in what was given, through the container that holds it.
  // Where several things were given, that begins with their own paths below the folder that holds them all; a listed
  // path is as it was listed. So pictures of the same name in several tars or folders stay apart. A folder that has
  // grown keeps its names.
  std::string RecordName(std::uint64_t i) const;
  // Once, before the first RecordName(). `adds`: to a data set of other inputs, so one container counts as several.
  void NamePlaces(bool adds);
  std::uint64_t Bytes(std::uint64_t i) const { return entries_[i].bytes; }
  bool KnowsBytes(std::uint64_t i) const { return OriginOf(i).bytes == 0; }  // false: Bytes() is 0 until it is read
  bool InContainer(std::uint64_t i) const { return OriginOf(i).kind == Kind::kContainer; }
  bool IsListed(std::uint64_t i) const { return OriginOf(i).kind == Kind::kList; }
  const std::filesystem::path& Root(std::uint64_t i) const { return OriginOf(i).root; }
  // The folder whose data set the container of input i belongs to; empty: none.
  const std::filesystem::path& DataSet(std::uint64_t i) const { return OriginOf(i).data_set; }
  std::filesystem::path Path(std::uint64_t i) const;  // the file to open; of a container's picture, the container
  std::unique_ptr<ContainerReader> OpenContainerOf(std::uint64_t i) const { return OriginOf(i).open(); }
  std::uint32_t Position(std::uint64_t i) const { return entries_[i].position; }  // among the container's entries
  bool IsLink(std::uint64_t i) const { return entries_[i].is_link != 0; }  // its bytes stand elsewhere in the archive
  const Rejected* WhyRejected(std::uint64_t i) const;                      // null: not known yet
  // One past the last input that was added after the same Begin() as input i.
  std::uint64_t EndOfOrigin(std::uint64_t i) const;

  // Labels (labels.h) are kept as UTF-8: other bytes are replaced. Throws DataError when there are over kMaxLabels.
  static constexpr std::size_t kMaxLabels = 100'000;
  void SetLabel(std::uint64_t i, std::string_view label);
  // The same for what a source states: -1 is no label there, whatever holds it. Other numbers are labels.
  void SetClass(std::uint64_t i, std::string_view label) { SetLabel(i, label == "-1" ? std::string_view() : label); }
  // Names in the source's own order, which come before all others whether a picture has them or not.
  void DeclareLabels(const std::vector<std::string>& names);
  // Empty when it has none.
  const std::string& Label(std::uint64_t i) const { return labels_[entries_[i].label]; }
  // The source itself says which labels those added since the last Begin() have, be it none.
  void KnowLabels() { origins_.back().knows_labels = true; }
  void KnowLabels(std::uint64_t i) { origins_[entries_[i].origin].knows_labels = true; }  // of what input i belongs to
  bool KnowsLabels(std::uint64_t i) const { return OriginOf(i).knows_labels; }
  // A label that --label-column could take, where a source has several.
  void OfferLabelColumn(std::string_view name) { label_columns_.emplace(name); }
  // Throws UsageError when no source offers `column`; empty is none.
  void RequireLabelColumn(const std::string& column) const;
  std::uint64_t CountWithoutLabel() const;  // among those that may become records
  // Of all that may become records, once: declared ones, then numbers in their order, then others sorted. Empty when
  // no picture has a label.
  std::vector<std::string> LabelNames() const;
  // XXH3-128 over names, sizes and labels: whether a continued run sees the same inputs.
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
    std::size_t own_name_bytes = 0;
    std::string place = {};  // in front of the names of records
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
  std::vector<std::string> notes_;
  std::filesystem::path given_, data_set_;
  std::vector<std::string> labels_ = {""};
  std::unordered_map<std::string, std::uint32_t> label_places_ = {{"", 0}};
  std::set<std::string, std::less<>> label_columns_;
  std::vector<std::uint32_t> declared_labels_;
  std::unordered_set<std::uint32_t> is_declared_;
};

// What the program itself writes, which is never an input: the shard folder and other files.
struct OwnFiles {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;
};

// `inputs`, each one of: a folder (folder.h), a container of many pictures (container.h, its own order), a picture, a
// text file of paths, or "-" for such a text from `standard_input`. Names tell them apart, and where they do not the
// content. `lists` are texts of paths whatever they are called. Throws UsageError for an input that is not there or is
// none of these, DataError when there is not one picture, IoError when an input itself cannot be opened.
SourceList FindSources(const std::vector<std::filesystem::path>& inputs,
                       const std::vector<std::filesystem::path>& lists, const ReadBlock& standard_input,
                       const OwnFiles& own = {}, const LabelOptions& labels = {});

}  // namespace gan::preprocess
