// Files beside pictures that say which class each belongs to.
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

// Of one folder or archive. What is read, by name:
//   dataset.json                        StyleGAN2 and 3: {"labels": [["00000/img00000000.png", 5], ...]}
//   metadata.csv, metadata.jsonl        Hugging Face: a column file_name and any others
//   list_attr_celeba.txt or .csv, identity_CelebA.txt, list_eval_partition.txt or .csv     CelebA
// A table's label is its column options.column or else the first there is of label, class, category and the like. Where
// rows contradict each other the first counts, and the user is told. -1 is no label, but one of CelebA's two values.
// Nothing is read unless options.mode is kAuto. Not thread-safe.
class LabelFiles {
 public:
  LabelFiles(const LabelOptions& options, std::filesystem::path root) : options_(options), root_(std::move(root)) {}

  bool Knows(std::string_view name) const;
  // `name`: of a file that it knows, relative to the root. Throws DataError naming it, and the offset in it where there
  // is one.
  void Read(const std::string& name, const std::string& text);
  // The same for a file of the folder. Throws IoError as well.
  void ReadFile(const std::string& name);
  // Throws DataError where the name of a file of many pictures says that it is a table of labels, which would be lost.
  void RequireNoTable(const std::string& container) const;
  // Labels the inputs from `first` on; those of an origin that knows its labels keep theirs.
  void Apply(SourceList& sources, std::uint64_t first);

 private:
  using Places = std::unordered_map<std::string, std::uint32_t>;  // picture -> place in labels_

  void ReadDatasetJson(const std::filesystem::path& file, const std::string& folder, const std::string& text);
  void ReadJsonLines(const std::filesystem::path& file, const std::string& folder, std::string_view text);
  void ReadCsv(const std::filesystem::path& file, const std::string& folder, std::string_view text, Places& places);
  void ReadCelebA(const std::filesystem::path& file, std::string_view name, std::string_view text);
  // The column that labels; size() when there is none.
  std::size_t ChooseColumn(const std::vector<std::string>& columns);
  void TellWhatWasNotTaken(SourceList& sources, std::uint64_t unused) const;
  void Put(const std::string& picture, const std::string& label, Places& places);

  // Whether a table names the picture.
  bool HasLabel(std::string_view picture) const;
  void SetLabel(SourceList& sources, std::uint64_t i) const;

  const LabelOptions& options_;
  const std::filesystem::path root_;
  Places places_;        // by the picture's name relative to the root
  Places by_file_name_;  // by the last part of its name, wherever it lies: CelebA's lists have no folders
  Places label_places_;  // label -> place in labels_
  std::vector<std::string> labels_;
  std::set<std::string> columns_seen_;
  bool column_found_ = false;
  bool knows_labels_ = false;
  std::uint64_t conflicts_ = 0;  // rows that label a picture otherwise than a row before
  std::string conflict_;         // the first of them
};

}  // namespace gan::preprocess
