#include "preprocess/inputs/label_files.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "preprocess/inputs/csv.h"
#include "preprocess/inputs/dataset_json.h"
#include "preprocess/inputs/path_text.h"
#include "preprocess/inputs/text_lines.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/lower.h"
#include "storage/parse_json.h"

namespace gan::preprocess {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 8> kLabelFiles = {
    "dataset.json",         "metadata.csv",        "metadata.jsonl",          "list_attr_celeba.txt",
    "list_attr_celeba.csv", "identity_CelebA.txt", "list_eval_partition.txt", "list_eval_partition.csv"};
constexpr std::string_view kUnread = "metadata.parquet";
constexpr std::array<std::string_view, 4> kFileColumns = {"file_name", "image_file_name", "image_id", "filename"};
// The usual names, preferred ones first.
constexpr std::array<std::string_view, 7> kUsualColumns = {"label",    "labels",     "class", "class_name",
                                                           "category", "label_name", "target"};

std::string_view WithoutDot(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

std::vector<std::string> Words(std::string_view line) {
  std::istringstream stream{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// The position in `names` of the first name of `wanted` that occurs; size() when none does.
template <typename Wanted>
std::size_t FindFirst(const std::vector<std::string>& names, const Wanted& wanted) {
  for (const auto& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  return names.size();
}

std::string LabelOf(const json& value, const fs::path& file, std::size_t offset) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer() || value.is_boolean()) return value.dump();
  if (value.is_null()) return "";
  throw DataError(file, offset,
                  std::string("a label is a name or a whole number, not ") + value.type_name() +
                      "; --labels none reads "
                      "the pictures alone, --label-column NAME takes another column");
}

}  // namespace

bool LabelFiles::Knows(std::string_view name) const {
  return options_.mode == LabelMode::kAuto &&
         std::find(kLabelFiles.begin(), kLabelFiles.end(), FileOf(name)) != kLabelFiles.end();
}

void LabelFiles::RequireNoTable(const std::string& container) const {
  if (options_.mode != LabelMode::kAuto || FileOf(container) != kUnread) return;
  throw DataError(root_ / container,
                  "a table of labels in Parquet is not read: save it as metadata.csv, or give --labels folder or none");
}

void LabelFiles::ReadFile(const std::string& name) { Read(name, storage::ReadFile(root_ / name, kMaxTextBytes)); }

void LabelFiles::Read(const std::string& name, const std::string& text) {
  const fs::path file = root_ / name;
  const std::string_view own = FileOf(name);
  const std::string folder(FoldersOf(name));
  if (own == "dataset.json") return ReadDatasetJson(file, folder, text);
  if (own == "metadata.jsonl") return ReadJsonLines(file, folder, text);
  if (own == "metadata.csv") return ReadCsv(file, folder, text, places_);
  if (own.ends_with(".csv")) return ReadCsv(file, "", text, by_file_name_);
  ReadCelebA(file, own, text);
}

void LabelFiles::ReadDatasetJson(const fs::path& file, const std::string& folder, const std::string& text) {
  knows_labels_ = true;
  ReadStyleGanLabels(text, file, [&](const std::string& picture, const std::string& label) {
    Put(folder + std::string(WithoutDot(picture)), label, places_);
  });
}

// A name from the user is compared exactly, the usual names without regard to case.
std::size_t LabelFiles::ChooseColumn(const std::vector<std::string>& columns) {
  columns_seen_.insert(columns.begin(), columns.end());
  std::size_t chosen = columns.size();
  if (options_.column.empty()) {
    std::vector<std::string> lower;
    std::transform(columns.begin(), columns.end(), std::back_inserter(lower), storage::Lower);
    chosen = FindFirst(lower, kUsualColumns);
  } else {
    chosen = FindFirst(columns, std::array<std::string_view, 1>{options_.column});
  }
  column_found_ = column_found_ || chosen < columns.size();
  return chosen;
}

void LabelFiles::ReadJsonLines(const fs::path& file, const std::string& folder, std::string_view text) {
  ForEachLine(text, [&](std::string_view line, std::size_t offset) {
    const json row = storage::ParseJson(line, file, offset);
    if (!row.is_object()) throw DataError(file, offset, "a line that is no JSON object");
    std::vector<std::string> columns;
    for (const auto& [name, value] : row.items()) columns.push_back(name);
    const std::size_t picture = FindFirst(columns, kFileColumns), label = ChooseColumn(columns);
    if (picture == columns.size() || !row.at(columns[picture]).is_string()) {
      throw DataError(file, offset, "a line without the text file_name");
    }
    if (label == columns.size()) return;
    const std::string name = row.at(columns[picture]);
    Put(folder + std::string(WithoutDot(name)), LabelOf(row.at(columns[label]), file, offset), places_);
  });
}

void LabelFiles::ReadCsv(const fs::path& file, const std::string& folder, std::string_view text, Places& places) {
  CsvRows rows(text);
  std::vector<std::string> columns, row;
  if (!rows.Next(columns)) throw DataError(file, rows.offset(), "has no line of column names");
  const std::size_t picture = FindFirst(columns, kFileColumns), label = ChooseColumn(columns);
  if (picture == columns.size()) throw DataError(file, 0, "has no column file_name");
  for (std::size_t at = rows.offset(); rows.Next(row); at = rows.offset()) {
    if (row.size() != columns.size()) {
      throw DataError(file, at,
                      "a row of " + storage::Counted(row.size(), "field") + "; the first line names " +
                          std::to_string(columns.size()));
    }
    if (label < columns.size()) Put(folder + std::string(WithoutDot(row[picture])), row[label], places);
  }
  if (rows.broken()) throw DataError(file, text.size(), "ends inside a quoted field");
}

// Lines "000001.jpg -1 1 ...". The list of attributes begins with a line that gives their number and a line of their
// names.
void LabelFiles::ReadCelebA(const fs::path& file, std::string_view name, std::string_view text) {
  std::vector<std::string> columns = {name.starts_with("identity") ? "identity" : "partition"};
  const bool has_names = name.starts_with("list_attr");
  std::size_t line_number = 0;
  std::size_t label = has_names ? 0 : ChooseColumn(columns);
  ForEachLine(text, [&](std::string_view line, std::size_t offset) {
    ++line_number;
    if (has_names && line_number == 1) return;
    const std::vector<std::string> words = Words(line);
    if (has_names && line_number == 2) {
      columns = words;
      label = ChooseColumn(columns);
      return;
    }
    if (words.size() != columns.size() + 1) {
      throw DataError(
          file, offset,
          "a line of " + storage::Counted(words.size(), "word") + " instead of " + std::to_string(columns.size() + 1));
    }
    if (label < columns.size()) Put(words[0], words[label + 1], by_file_name_);
  });
}

void LabelFiles::Put(const std::string& picture, const std::string& label, Places& places) {
  auto [found, is_new] = label_places_.try_emplace(label, static_cast<std::uint32_t>(labels_.size()));
  if (is_new) labels_.push_back(label);
  // Checked here as well as in SourceList, so that a table of millions of captions ends early and does not fill the
  // memory.
  if (labels_.size() > SourceList::kMaxLabels) {
    throw DataError(root_,
                    "over 100,000 different labels, the last one \"" + label.substr(0, 60) + "\": are they classes?");
  }
  const auto [place, is_first] = places.try_emplace(picture, found->second);
  if (is_first || place->second == found->second) return;
  if (conflicts_++ == 0) conflict_ = picture + " (" + labels_[place->second] + " and " + label + ")";
}

bool LabelFiles::HasLabel(std::string_view picture) const {
  return places_.contains(std::string(picture)) || by_file_name_.contains(std::string(FileOf(picture)));
}

// Only CelebA's lists refer to pictures by file name, and only there -1 is a value.
void LabelFiles::SetLabel(SourceList& sources, std::uint64_t i) const {
  const auto found = places_.find(std::string(sources.Name(i)));
  if (found != places_.end()) return sources.SetClass(i, labels_[found->second]);
  sources.SetLabel(i, labels_[by_file_name_.at(std::string(FileOf(sources.Name(i))))]);
}

// Called when all pictures are known, because in an archive a table may precede or follow its pictures.
void LabelFiles::Apply(SourceList& sources, std::uint64_t first) {
  for (const std::string& column : columns_seen_) sources.OfferLabelColumn(column);
  const std::uint64_t named = places_.size() + by_file_name_.size();
  std::uint64_t used = 0;
  for (std::uint64_t begin = first, end = first; begin < sources.size() && (knows_labels_ || column_found_);
       begin = end) {
    end = sources.EndOfOrigin(begin);
    // An origin with its own labels keeps them, but the pictures in its tables count as used, so that no note reports
    // them.
    const bool has_others = sources.KnowsLabels(begin);
    sources.KnowLabels(begin);
    for (std::uint64_t i = begin; i < end && named > 0; ++i) {
      if (!HasLabel(sources.Name(i))) continue;
      ++used;
      if (!has_others) SetLabel(sources, i);
    }
  }
  TellWhatWasNotTaken(sources, named - used);
}

void LabelFiles::TellWhatWasNotTaken(SourceList& sources, std::uint64_t unused) const {
  const std::string root = root_.string();
  const auto example = std::find_if(columns_seen_.begin(), columns_seen_.end(), [](const std::string& column) {
    return !column.empty() && std::find(kFileColumns.begin(), kFileColumns.end(), column) == kFileColumns.end();
  });
  if (options_.column.empty() && !column_found_ && example != columns_seen_.end()) {
    sources.Note(root + " has tables of " + storage::Counted(columns_seen_.size(), "column") +
                 "; --label-column NAME takes one of them as the label, for example " + *example);
  }
  if (conflicts_ > 0) {
    sources.Note(storage::Counted(conflicts_, "row in the tables of " + root + " gives",
                                  "rows in the tables of " + root + " give") +
                 " a picture another label than a row before them, for example " + conflict_ +
                 "; the first label counts");
  }
  if (unused > 0) {
    sources.Note(storage::Counted(unused, "name in the tables of " + root + " is no picture in it",
                                  "names in the tables of " + root + " are no pictures in it"));
  }
}

}  // namespace gan::preprocess
