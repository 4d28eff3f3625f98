// Files beside pictures that give the class of each picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "preprocess/inputs/labels.h"
#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// The label files of one folder or archive, recognised by name:
//     dataset.json                        StyleGAN2 and 3: {"labels": [["00000/img00000000.png", 5], ...]}
//     metadata.csv, metadata.jsonl        Hugging Face: a column file_name and any others
//     list_attr_celeba.txt or .csv, identity_CelebA.txt, list_eval_partition.txt or .csv     CelebA
// A table's label is its column options.column or else the first column called label, class, category or the like. If
// rows contradict each other, the first one counts, and a note says so. -1 means no label, except in CelebA's
// attributes, where it is a value. Nothing is read unless options.mode is kAuto. Not thread-safe.
class LabelFiles {
 public:
  LabelFiles(const LabelOptions& options, std::filesystem::path root) : options_(options), root_(std::move(root)) {}

  bool Knows(std::string_view name) const;
  // `name`: a file that this class knows, relative to the root. Throws DataError with its name and, if there is one,
  // the offset.
  void Read(const std::string& name, const std::string& text);
  // Reads such a file from the folder. Throws IoError as well.
  void ReadFile(const std::string& name);
  // Throws DataError if the name of a container is that of a table of labels, whose labels would be lost.
  void RequireNoTable(const std::string& container) const;
  // Labels the inputs from `first` on. An origin with its own labels keeps them.
  void Apply(SourceList& sources, std::uint64_t first);

 private:
  using Places = std::unordered_map<std::string, std::uint32_t>;  // picture -> place in labels_

  void ReadDatasetJson(const std::filesystem::path& file, const std::string& folder, const std::string& text);
  void ReadJsonLines(const std::filesystem::path& file, const std::string& folder, std::string_view text);
  void ReadCsv(const std::filesystem::path& file, const std::string& folder, std::string_view text, Places& places);
  void ReadCelebA(const std::filesystem::path& file, std::string_view name, std::string_view text);
  // The position of the label column; size() when there is none.
  std::size_t ChooseColumn(const std::vector<std::string>& columns);
  void TellWhatWasNotTaken(SourceList& sources, std::uint64_t unused) const;
  void Put(const std::string& picture, const std::string& label, Places& places);

  // Whether a table names the picture.
  bool HasLabel(std::string_view picture) const;
  void SetLabel(SourceList& sources, std::uint64_t i) const;

  const LabelOptions& options_;
  const std::filesystem::path root_;
  Places places_;        // by the picture's name relative to the root
  Places by_file_name_;  // by its file name, because CelebA's lists have no folders
  Places label_places_;  // label -> place in labels_
  std::vector<std::string> labels_;
  std::set<std::string> columns_seen_;
  bool column_found_ = false;
  bool knows_labels_ = false;
  std::uint64_t conflicts_ = 0;  // rows that contradict an earlier row on the label of a picture
  std::string conflict_;         // the first of these rows
};

}  // namespace gan::preprocess
