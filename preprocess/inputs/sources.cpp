#include "preprocess/inputs/sources.h"

#include <sys/stat.h>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/archive.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/folder.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

void AddPath(std::string_view path, SourceList& found) {
  struct stat status = {};
  const bool there = ::stat(std::string(path).c_str(), &status) == 0 && S_ISREG(status.st_mode);
  found.Add(path, there ? static_cast<std::uint64_t>(status.st_size) : 0);  // if not, opening it will say why
}

void AddList(const fs::path& list, const ReadBlock& standard_input, SourceList& found) {
  const auto take = [&](std::string_view path) { AddPath(path, found); };
  found.Begin(SourceList::Kind::kList, {});
  if (list == "-") return ReadPaths("standard input", standard_input, take);
  if (!fs::exists(list)) throw UsageError("--list " + list.string() + ": no such file");
  if (fs::is_directory(list)) throw UsageError("--list " + list.string() + ": is a folder; --in takes those");
  ReadPathsOfFile(list, take);
}

void AddArchive(const fs::path& path, SourceList& found) {
  found.Begin(SourceList::Kind::kArchive, path);
  const auto take = [&](const ArchiveMember& member) {
    if (member.refused) return found.AddRejected(member.name, member.refused->reason(), member.refused->what());
    found.Add(member.name, member.bytes, member.position, member.is_link);
  };
  ListArchive(path, take, found.left_out());
}

void AddFile(const fs::path& file, SourceList& found) {
  const bool is_file = fs::is_regular_file(file);  // a pipe can only hold a list
  const std::string head = is_file ? HeadOf(file) : "";
  const bool called_a_picture = HasPictureExtension(file.native());
  if (LooksLikeAnArchive(file.native()) || (is_file && !called_a_picture && IsArchiveContent(head))) {
    return AddArchive(file, found);
  }
  if (!called_a_picture && !IsPictureContent(head)) return AddList(file, nullptr, found);
  found.Begin(SourceList::Kind::kList, {});
  AddPath(file.native(), found);
}

void AddInput(const fs::path& input, const ReadBlock& standard_input, const OwnFiles& own, SourceList& found) {
  if (input == "-") return AddList(input, standard_input, found);
  if (!fs::exists(input)) throw UsageError("--in " + input.string() + ": no such folder or file");
  if (fs::is_directory(input)) return AddFolder(input, own, found);
  AddFile(input, found);
}

}  // namespace

SourceList FindSources(const std::vector<fs::path>& inputs, const std::vector<fs::path>& lists,
                       const ReadBlock& standard_input, const OwnFiles& own) {
  SourceList found;
  for (const fs::path& input : inputs) AddInput(input, standard_input, own, found);
  for (const fs::path& list : lists) AddList(list, standard_input, found);
  if (found.size() > 0) return found;
  const std::string others = found.left_out().Words();
  throw DataError(inputs.empty() ? lists.at(0) : inputs[0],
                  "holds no pictures (" + ReadableFormats() + ")" + (others.empty() ? "" : "; left out: " + others));
}

}  // namespace gan::preprocess
