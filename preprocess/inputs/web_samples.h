// WebDataset: tars in which the members of one sample share a key, "000017.jpg", "000017.cls", "000017.seg.png".
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "preprocess/inputs/labels.h"
#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// "a/000017" and "seg.png" of "a/000017.seg.png". The extension begins at the first dot of the file's name that is not
// followed by a digit: "img.0001.jpg" is a numbered picture without the field "0001.jpg".
struct SampleName {
  std::string_view key;
  std::string_view field;
};
SampleName SplitSampleName(std::string_view name);

// The members of one tar, which is a WebDataset when a member that is not a picture has the same key as a picture. Not
// thread-safe.
class WebSamples {
 public:
  WebSamples(const LabelOptions& options, const std::filesystem::path& file) : options_(options), file_(file) {}

  // Adds a member that is not a picture. Returns whether its text is a label.
  bool TakeField(std::string_view name);
  // Adds the text of such a member, and its position in the tar. Throws DataError naming it.
  void TakeText(std::string_view name, std::uint32_t position, std::string_view text);
  // Keeps one picture of each sample among the inputs from `first` on and labels it. The first picture whose field has
  // no dot, like "jpg", is preferred to others like "input.png", and these to masks like "seg.png". A second picture of
  // the same name begins another sample, because two tars with the same keys may have been joined. Does nothing when
  // the tar is not a WebDataset. Throws DataError naming a JSON that has no valid label, unless there is a `.cls` as
  // well.
  void Apply(SourceList& sources, std::uint64_t first);

 private:
  // The label of a sample according to one member.
  struct Label {
    std::uint32_t position;
    bool is_from_json;  // used only if there is no other
    std::string text;
    std::string error;  // why it is not a label
  };
  struct Picture {
    std::size_t key;  // the hash of the sample's key
    std::uint32_t position;
    std::uint64_t input;
    bool operator<(const Picture& other) const {
      return std::tie(key, position, input) < std::tie(other.key, other.position, other.input);
    }
  };
  using Pictures = std::vector<Picture>;  // sorted

  bool IsWebDataset(const SourceList& sources, std::uint64_t first) const;
  void KeepOnePicture(SourceList& sources, std::uint64_t first) const;
  void ReadJson(const SampleName& sample, std::uint32_t position, const std::string& name, std::string_view text);
  static std::optional<std::uint64_t> NearestOf(const Pictures& pictures, const std::string& key, const Label& label);
  void SetLabels(const Pictures& pictures, SourceList& sources) const;
  void Put(std::string_view key, Label label) { labels_.emplace(std::string(key), std::move(label)); }

  const LabelOptions& options_;
  const std::filesystem::path& file_;
  std::unordered_set<std::size_t> keys_;  // hashes of the keys of members that are not pictures
  std::unordered_multimap<std::string, Label> labels_;
  std::set<std::string, std::less<>> columns_;  // columns that the user can choose
};

}  // namespace gan::preprocess
