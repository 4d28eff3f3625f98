#include "preprocess/inputs/sources.h"

#include <sys/stat.h>

#include <memory>
#include <utility>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/archive.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/folder.h"
#include "preprocess/inputs/label_files.h"
#include "preprocess/inputs/ranges.h"
#include "preprocess/inputs/web_samples.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

std::unique_ptr<ContainerReader> OpenArchive(const fs::path& file) { return std::make_unique<ArchiveReader>(file); }

// Only tars are WebDatasets.
bool IsTar(const fs::path& file) {
  const std::string head = HeadOf(file);
  return !head.starts_with("PK") && !head.starts_with("7z");
}

// Labels that an archive holds beside its pictures.
class LabelMembers : public OtherMembers {
 public:
  LabelMembers(const LabelOptions& options, const fs::path& file)
      : files_(options, file), samples_(options, file), is_tar_(IsTar(file)) {}

  bool Wants(const ArchiveMember& member, std::string_view /*head*/) override {
    if (files_.Knows(member.name)) return true;
    return is_tar_ && samples_.TakeField(member.name);
  }
  void TakeText(const ArchiveMember& member, std::string text) override {
    if (files_.Knows(member.name)) return files_.Read(member.name, std::move(text));
    samples_.TakeText(member.name, text);
  }
  void Apply(SourceList& found, std::uint64_t first) {
    samples_.Apply(found, first);
    files_.Apply(found, first);
  }

 private:
  LabelFiles files_;
  WebSamples samples_;
  const bool is_tar_;
};

// What is given to gan-preprocess, one after another.
class Finder {
 public:
  Finder(const ReadBlock& standard_input, const OwnFiles& own, const LabelOptions& labels, SourceList& found)
      : standard_input_(standard_input), own_(own), labels_(labels), found_(found) {}

  void AddInput(const fs::path& input) {
    if (input == "-") return AddList(input);
    if (!fs::exists(input)) return AddRange(input);
    if (fs::is_directory(input)) return AddFolder(input, own_, labels_, found_);
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

  void AddPath(std::string_view path) {
    struct stat status = {};
    const bool there = ::stat(std::string(path).c_str(), &status) == 0 && S_ISREG(status.st_mode);
    if (there && LooksLikeAnArchive(path)) {
      AddArchive(fs::path(path));
      return found_.Begin(SourceList::Kind::kList, {});
    }
    found_.Add(path, there ? static_cast<std::uint64_t>(status.st_size) : 0);  // if not, opening it will say why
  }

  void AddArchive(const fs::path& path) {
    found_.BeginContainer(path, OpenArchive);
    const std::uint64_t first = found_.size();
    const auto take = [&](const ArchiveMember& member) {
      if (member.refused) return found_.AddRejected(member.name, member.refused->reason(), member.refused->what());
      found_.Add(member.name, member.bytes, member.position, member.is_link);
    };
    LabelMembers others(labels_, path);
    ListArchive(path, take, found_.left_out(), &others);
    others.Apply(found_, first);
  }

  void AddFile(const fs::path& file) {
    const bool is_file = fs::is_regular_file(file);  // a pipe can only hold a list
    const std::string head = is_file ? HeadOf(file) : "";
    const bool called_a_picture = HasPictureExtension(file.native());
    if (LooksLikeAnArchive(file.native()) || (is_file && !called_a_picture && IsArchiveContent(head))) {
      return AddArchive(file);
    }
    if (!called_a_picture && !IsPictureContent(head)) return AddList(file);
    found_.Begin(SourceList::Kind::kList, {});
    AddPath(file.native());
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
  LabelByFolders(labels, found);
  TellAboutLabels(labels, found);
  return found;
}

}  // namespace gan::preprocess
