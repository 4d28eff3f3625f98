#include "preprocess/inputs/sources.h"

#include <sys/stat.h>

#include <memory>
#include <utility>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/archive.h"
#include "preprocess/inputs/arrays.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/folder.h"
#include "preprocess/inputs/label_files.h"
#include "preprocess/inputs/lmdb.h"
#include "preprocess/inputs/parquet.h"
#include "preprocess/inputs/ranges.h"
#include "preprocess/inputs/web_samples.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

// Only tars are WebDatasets.
bool IsTar(const fs::path& file) {
  const std::string head = HeadOf(file);
  return !head.starts_with("PK") && !head.starts_with("7z");
}

bool HoldsPictures(const SourceList& found, std::uint64_t first) {
  for (std::uint64_t i = first; i < found.size(); ++i) {
    if (found.WhyRejected(i) == nullptr) return true;
  }
  return false;
}

// The other members of an archive: the labels of its pictures or, if it has no pictures, arrays of pictures.
class LabelMembers : public OtherMembers {
 public:
  LabelMembers(const LabelOptions& options, const fs::path& file)
      : file_(file), files_(options, file), samples_(options, file), arrays_(options, file), is_tar_(IsTar(file)) {}

  Wish Wants(const ArchiveMember& member, std::string_view head) override {
    if (Arrays::IsOne(member.name, head)) return Keep(member);
    if (files_.Knows(member.name)) return Wish::kText;
    return is_tar_ && samples_.TakeField(member.name) ? Wish::kText : Wish::kNone;
  }
  void TakeText(const ArchiveMember& member, std::string text) override {
    if (files_.Knows(member.name)) return files_.Read(member.name, text);
    samples_.TakeText(member.name, member.position, text);
  }
  void Apply(SourceList& found, std::uint64_t first) {
    // The order matters: arrays become inputs if there are no pictures, then samples keep one of their pictures each,
    // and then tables label the rest.
    AddArrays(found, HoldsPictures(found, first));
    samples_.Apply(found, first);
    files_.Apply(found, first);
  }

 private:
  Wish Keep(const ArchiveMember& member) {
    array_members_.push_back(member);
    return Wish::kTake;
  }

  // Called after the archive has been listed, because each array is read in its own pass.
  void AddArrays(SourceList& found, bool has_pictures) {
    for (const ArchiveMember& member : array_members_) {
      if (has_pictures) {
        found.left_out().CountByExtension(member.name);
      } else {
        arrays_.Take(member.name, {file_, ByteOrigin::Kind::kMember, member.position}, member.bytes);
      }
    }
    arrays_.AddTo(found);
  }

  const fs::path& file_;
  LabelFiles files_;
  WebSamples samples_;
  Arrays arrays_;
  std::vector<ArchiveMember> array_members_;
  const bool is_tar_;
};

// Goes through the inputs that gan-preprocess was given, one after another.
class Finder {
 public:
  Finder(const ReadBlock& standard_input, const OwnFiles& own, const LabelOptions& labels, SourceList& found)
      : standard_input_(standard_input), own_(own), labels_(labels), found_(found) {}

  void AddInput(const fs::path& input) {
    if (input == "-") return AddList(input);
    if (!fs::exists(input)) return AddRange(input);
    found_.BeginInput(input);
    if (fs::is_directory(input)) return AddFolderOrDataSet(input);
    AddFile(input);
  }

  void AddList(const fs::path& list) {
    const auto take = [&](std::string_view path) { AddPath(path); };
    found_.Begin(SourceList::Kind::kList, {});
    if (list == "-") return ReadPaths("standard input", standard_input_, take);
    if (!fs::exists(list)) throw UsageError("--list " + list.string() + ": no such file");
    if (fs::is_directory(list)) throw UsageError("--list " + list.string() + ": is a folder; --in takes those");
    ReadPathsOfFile(list, take);
  }

 private:
  // "data-{000..009}.tar"
  void AddRange(const fs::path& input) {
    const std::vector<std::string> paths = ExpandRanges(input.native());
    for (const std::string& path : paths) {
      if (!fs::exists(path)) throw UsageError("--in " + path + ": no such folder or file");
      AddInput(path);
    }
  }

  static bool IsContainer(std::string_view name, std::string_view head) {
    return Arrays::IsOne(name, head) || IsParquet(head) || IsLmdb(head) || LooksLikeAnArchive(name) ||
           IsArchiveContent(head);
  }

  // In a folder without pictures, the containers (archives, arrays and others) are the data set.
  void AddFolderOrDataSet(const fs::path& folder) {
    const std::uint64_t first = found_.size();
    LabelFiles tables(labels_, folder);
    const std::vector<std::string> containers = AddFolder(folder, own_, tables, IsContainer, found_);
    if (containers.empty()) return tables.Apply(found_, first);
    found_.BeginDataSet(folder);
    Arrays arrays(labels_, folder);
    for (const std::string& name : containers) {
      const fs::path file = folder / name;
      if (Arrays::IsOne(name, HeadOf(file))) {
        arrays.Take(name, {file, ByteOrigin::Kind::kPlain, 0}, fs::file_size(file));
      } else {
        AddFile(file);
      }
    }
    arrays.AddTo(found_);
    tables.Apply(found_, first);
    found_.EndDataSet();
  }

  void AddPath(std::string_view path) {
    struct stat status = {};
    const bool there = ::stat(std::string(path).c_str(), &status) == 0 && S_ISREG(status.st_mode);
    if (there && LooksLikeAnArchive(path)) {
      found_.BeginInput(path);
      AddArchive(fs::path(path));
      return found_.Begin(SourceList::Kind::kList, {});
    }
    // if it is missing, opening it will report why
    found_.Add(path, there ? static_cast<std::uint64_t>(status.st_size) : 0);
  }

  void AddArchive(const fs::path& path) {
    found_.BeginContainer(path, [path] { return std::make_unique<ArchiveReader>(path); });
    const std::uint64_t first = found_.size();
    const auto take = [&](const ArchiveMember& member) {
      found_.NoteTime(member.modified);
      if (member.refused) return found_.AddRejected(member.name, member.refused->reason(), member.refused->what());
      found_.Add(member.name, member.bytes, member.position, member.is_link);
    };
    LabelMembers others(labels_, path);
    ListArchive(path, take, found_.left_out(), &others);
    others.Apply(found_, first);
  }

  // From the surest sign to the weakest: the mark of one kind of file, then the name, then content that a picture could
  // have, and last a list of paths, because any text may be one.
  void AddFile(const fs::path& file) {
    const bool is_file = fs::is_regular_file(file);  // a pipe can only contain a list
    const std::string head = is_file ? HeadOf(file) : "";
    // A file with the name of a picture is an input even if it is damaged. Only LMDB and Parquet are recognised before
    // the name.
    const bool called_a_picture = HasPictureExtension(file.native());
    if (is_file && IsLmdb(head)) return AddLmdb(file, labels_, found_);
    if (is_file && IsParquet(head)) return AddParquet(file, labels_, found_);
    if (is_file && !called_a_picture && Arrays::IsOne(file.filename().native(), head)) return AddArrayFile(file);
    if (LooksLikeAnArchive(file.native()) || (is_file && !called_a_picture && IsArchiveContent(head))) {
      return AddArchive(file);
    }
    if (!called_a_picture && !IsPictureContent(head)) return AddList(file);
    found_.Begin(SourceList::Kind::kList, {});
    AddPath(file.native());
  }

  // The labels of such a file are in files beside it.
  void AddArrayFile(const fs::path& file) {
    Arrays arrays(labels_, file.parent_path());
    const std::uint64_t first = found_.size();
    arrays.TakeWithLabels(file.filename().native());
    arrays.AddTo(found_);
    if (found_.size() == first)
      throw DataError(file, "is no array of uint8 pictures, [n, height, width] with 1, 3 or 4 channels or none");
  }

  const ReadBlock& standard_input_;
  const OwnFiles& own_;
  const LabelOptions& labels_;
  SourceList& found_;
};

}  // namespace

SourceList FindSources(const std::vector<fs::path>& inputs, const std::vector<fs::path>& lists,
                       const ReadBlock& standard_input, const OwnFiles& own, const LabelOptions& labels) {
  SourceList found;
  Finder finder(standard_input, own, labels, found);
  for (const fs::path& input : inputs) finder.AddInput(input);
  for (const fs::path& list : lists) finder.AddList(list);
  if (found.size() == 0) {
    const std::string others = found.left_out().Words();
    throw DataError(inputs.empty() ? lists.at(0) : inputs[0],
                    "holds no pictures (" + ReadableFormats() + ")" + (others.empty() ? "" : "; left out: " + others));
  }
  found.RequireLabelColumn(labels.column);
  LabelByFolders(labels, found);
  TellAboutLabels(labels, found);
  return found;
}

}  // namespace gan::preprocess
