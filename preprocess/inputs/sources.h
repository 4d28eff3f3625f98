// Which pictures a run is about: folders, archives, lists of paths and single files, in an order that depends on
// nothing but them.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "preprocess/image/rejected.h"
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
  enum class Kind { kFolder, kList, kArchive };

  // What the next ones belong to: pictures lie below `root` (kFolder), at their own path (kList), or inside the archive
  // `root`.
  void Begin(Kind kind, const std::filesystem::path& root);
  // `position`, `is_link`: of an archive's member, as ArchiveMember has them.
  void Add(std::string_view name, std::uint64_t bytes, std::uint32_t position = 0, bool is_link = false);
  // An input that is known to be none already.
  void AddRejected(std::string_view name, Reason reason, const std::string& detail);
  // Those added since `first` in the order of their names.
  void SortFrom(std::uint64_t first);

  // Files that were seen and are no inputs.
  LeftOut& left_out() { return left_out_; }
  const LeftOut& left_out() const { return left_out_; }

  std::uint64_t size() const { return entries_.size(); }
  std::string_view Name(std::uint64_t i) const { return {entries_[i].name, entries_[i].name_bytes}; }
  std::uint64_t Bytes(std::uint64_t i) const { return entries_[i].bytes; }
  bool InArchive(std::uint64_t i) const { return OriginOf(i).kind == Kind::kArchive; }
  std::filesystem::path Path(std::uint64_t i) const;  // the file to open; of an archive's member, the archive
  std::uint32_t Position(std::uint64_t i) const { return entries_[i].position; }  // among the archive's entries
  bool IsLink(std::uint64_t i) const { return entries_[i].is_link != 0; }  // its bytes stand elsewhere in the archive
  const Rejected* WhyRejected(std::uint64_t i) const;                      // null: not known yet

  // The folder that a picture is labelled by: the first one below --in or in the archive; of a listed path, the one
  // that holds it. Empty when there is none.
  std::string_view Label(std::uint64_t i) const;
  std::vector<std::string> LabelNames() const;  // of all that may become records, sorted, once
  // XXH3-128 over names and sizes: whether a continued run sees the same inputs.
  std::string Digest() const;

 private:
  struct Origin {
    Kind kind;
    std::filesystem::path root;
  };
  struct Entry {
    const char* name;
    std::uint64_t bytes;
    std::uint32_t name_bytes;
    std::uint32_t origin;
    std::uint32_t position;
    std::uint32_t rejection : 31;  // place in rejections_ plus one; 0: none
    std::uint32_t is_link : 1;
  };
  const Origin& OriginOf(std::uint64_t i) const { return origins_[entries_[i].origin]; }

  TextArena arena_;
  std::deque<Entry> entries_;  // grows without moving: a vector would hold its contents twice
  std::vector<Origin> origins_;
  std::deque<Rejected> rejections_;
  LeftOut left_out_;
};

// What the program itself writes, which is never an input: the shard folder and other files.
struct OwnFiles {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;
};

// `inputs`, each one of: a folder (folder.h), an archive (archive.h, its own order), a picture, a text file of paths,
// or
// "-" for such a text from `standard_input`. Names tell them apart, and where they do not the content. `lists` are
// texts of paths whatever they are called. Throws UsageError for an input that is not there or is none of these,
// DataError when there is not one picture, IoError when an input itself cannot be opened.
SourceList FindSources(const std::vector<std::filesystem::path>& inputs,
                       const std::vector<std::filesystem::path>& lists, const ReadBlock& standard_input,
                       const OwnFiles& own = {});

}  // namespace gan::preprocess
