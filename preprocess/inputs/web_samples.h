// WebDataset: tars in which the members of one sample share a key, "000017.jpg", "000017.cls", "000017.seg.png".
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "preprocess/inputs/labels.h"
#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// "a/000017" and "seg.png" of "a/000017.seg.png". The extension begins at the first dot of the file's name that is not
// followed by a digit: "img.0001.jpg" is a numbered picture and no field "0001.jpg".
struct SampleName {
  std::string_view key;
  std::string_view field;
};
SampleName SplitSampleName(std::string_view name);

// Of one tar. It is a WebDataset when a member that is no picture shares its key with one. Not thread-safe.
class WebSamples {
 public:
  WebSamples(const LabelOptions& options, const std::filesystem::path& file) : options_(options), file_(file) {}

  // A member that is no picture. -> whether its text is a label.
  bool TakeField(std::string_view name);
  // The text of one for which that was true. Throws DataError naming it.
  void TakeText(std::string_view name, std::string_view text);
  // Keeps one picture of each sample among the inputs from `first` on and labels it: the first whose field has no dot,
  // like "jpg", before others like "input.png" and these before masks like "seg.png". Nothing when it is no WebDataset.
  void Apply(SourceList& sources, std::uint64_t first);

 private:
  bool IsWebDataset(const SourceList& sources, std::uint64_t first) const;
  void KeepOnePicture(SourceList& sources, std::uint64_t first) const;
  void Put(std::string_view key, const std::string& label) { labels_.try_emplace(std::string(key), label); }

  const LabelOptions& options_;
  const std::filesystem::path& file_;
  std::unordered_set<std::size_t> keys_;  // hashes: of members that are no pictures
  std::unordered_map<std::string, std::string> labels_;
  std::set<std::string, std::less<>> columns_;  // that can be chosen
};

}  // namespace gan::preprocess
