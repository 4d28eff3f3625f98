#include "preprocess/inputs/web_samples.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/errors.h"
#include "storage/lower.h"
#include "storage/parse_json.h"

namespace gan::preprocess {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kLabelKeys = {"label",      "labels",   "cls",   "class",
                                                        "class_name", "category", "target"};
constexpr std::array<std::string_view, 8> kMasks = {"seg",   "mask",   "segmentation", "depth",
                                                    "label", "labels", "instance",     "semantic"};

// Keys are kept as hashes of 64 bits, because a tar may have millions of samples.
std::size_t HashOf(std::string_view text) { return std::hash<std::string_view>()(text); }

// 0: "jpg"; 1: "input.png"; 2: "seg.png".
int RankOf(std::string_view extension) {
  const std::string lower = storage::Lower(extension);
  const std::string_view field = lower;
  const std::size_t dot = field.find('.');
  if (dot == std::string_view::npos) return 0;
  return std::find(kMasks.begin(), kMasks.end(), field.substr(0, dot)) == kMasks.end() ? 1 : 2;
}

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

SampleName SplitSampleName(std::string_view name) {
  const std::size_t file = name.rfind('/') + 1;  // npos + 1 is 0
  for (std::size_t dot = name.find('.', file + 1); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (dot + 1 < name.size() && std::isdigit(static_cast<unsigned char>(name[dot + 1])) == 0) {
      return {name.substr(0, dot), name.substr(dot + 1)};
    }
  }
  return {name, {}};
}

// Extensions are compared without regard to case, as in the package webdataset.
bool WebSamples::TakeField(std::string_view name) {
  const SampleName sample = SplitSampleName(name);
  if (sample.field.empty()) return false;
  keys_.insert(HashOf(sample.key));
  if (options_.mode != LabelMode::kAuto) return false;
  const std::string field = storage::Lower(sample.field);
  const bool is_chosen = !options_.column.empty() && sample.field == options_.column;
  if (is_chosen || field == "cls") columns_.emplace(is_chosen ? sample.field : field);
  return is_chosen || field == "json" || (field == "cls" && options_.column.empty());
}

void WebSamples::TakeText(std::string_view name, std::uint32_t position, std::string_view text) {
  const SampleName sample = SplitSampleName(name);
  if (storage::Lower(sample.field) == "json") return ReadJson(sample, position, std::string(name), text);
  Put(sample.key, {.position = position, .is_from_json = false, .text = std::string(Trimmed(text)), .error = ""});
}

void WebSamples::ReadJson(const SampleName& sample, std::uint32_t position, const std::string& name,
                          std::string_view text) {
  const json object = storage::ParseJson(text, file_ / name);
  if (!object.is_object()) return;  // not a label: a caption or a list of boxes
  const auto is_label = [](const json& value) {
    return value.is_string() || value.is_number_integer() || value.is_boolean();
  };
  for (const auto& [key, value] : object.items()) {
    if (is_label(value)) columns_.insert(key);
  }
  for (const std::string_view wanted : kLabelKeys) {
    const std::string key = options_.column.empty() ? std::string(wanted) : options_.column;
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) continue;
    Label label{.position = position, .is_from_json = true, .text = "", .error = ""};
    if (is_label(*found)) {
      label.text = found->is_string() ? found->get<std::string>() : found->dump();
    } else {
      label.error = "the label `" + key + "` is neither a name nor a whole number, but " + found->type_name() +
                    "; --label-column NAME takes another one, --labels none the pictures alone";
    }
    return Put(sample.key, std::move(label));
  }
}

// Without such a member a tar is an ordinary archive, and all of its pictures are inputs.
bool WebSamples::IsWebDataset(const SourceList& sources, std::uint64_t first) const {
  for (std::uint64_t i = first; i < sources.size(); ++i) {
    if (sources.WhyRejected(i) != nullptr) continue;
    if (keys_.contains(HashOf(SplitSampleName(sources.Name(i)).key))) return true;
  }
  return false;
}

// An input that was already rejected does not count as a picture of a sample: it replaces no picture, and the
// quarantine lists it. Damage to the archive itself is such an input, and its name may equal that of a sample.
void WebSamples::KeepOnePicture(SourceList& sources, std::uint64_t first) const {
  // The best picture of a sample is known only when all have been seen, so a second pass drops the others.
  std::unordered_map<std::size_t, std::uint32_t> earlier;               // pictures of the same name, by its hash
  std::unordered_map<std::size_t, std::pair<int, std::uint64_t>> best;  // by the hash of key and repetition
  std::vector<std::size_t> samples;                                     // per input from `first` on: its key in `best`
  for (std::uint64_t i = first; i < sources.size(); ++i) {
    samples.push_back(0);
    if (sources.WhyRejected(i) != nullptr) continue;
    const SampleName sample = SplitSampleName(sources.Name(i));
    const std::uint32_t turn = earlier[HashOf(sources.Name(i))]++;
    samples.back() = turn == 0 ? HashOf(sample.key) : HashOf(std::string(sample.key) + '\0' + std::to_string(turn));
    const std::pair<int, std::uint64_t> here(RankOf(sample.field), i);
    const auto [found, is_new] = best.try_emplace(samples.back(), here);
    // By rank, then by position: the first of the best kind.
    if (!is_new) found->second = std::min(found->second, here);
  }
  sources.KeepFrom(first, [&](std::uint64_t i) {
    const bool kept = sources.WhyRejected(i) != nullptr || best.at(samples[i - first]).second == i;
    if (!kept) sources.left_out().Count("other picture of a sample", sources.Name(i));
    return kept;
  });
}

// The members of a sample are side by side, so a label belongs to the nearest picture with its key.
std::optional<std::uint64_t> WebSamples::NearestOf(const Pictures& pictures, const std::string& key,
                                                   const Label& label) {
  const std::size_t hash = HashOf(key);
  const auto behind = std::lower_bound(pictures.begin(), pictures.end(), Picture{hash, label.position, 0});
  const bool has_behind = behind != pictures.end() && behind->key == hash;
  const bool has_before = behind != pictures.begin() && std::prev(behind)->key == hash;
  if (!has_before && !has_behind) return std::nullopt;
  if (!has_before) return behind->input;
  const bool is_before_nearer =
      !has_behind || label.position - std::prev(behind)->position <= behind->position - label.position;
  return is_before_nearer ? std::prev(behind)->input : behind->input;
}

void WebSamples::SetLabels(const Pictures& pictures, SourceList& sources) const {
  std::unordered_set<std::uint64_t> labelled;
  // A .cls counts before a .json, so labels from JSON are set afterwards, and only where none was set.
  for (const bool from_json : {false, true}) {
    for (const auto& [key, label] : labels_) {
      if (label.is_from_json != from_json) continue;
      const std::optional<std::uint64_t> picture = NearestOf(pictures, key, label);
      if (!picture || (from_json && labelled.contains(*picture))) continue;
      if (!label.error.empty()) throw DataError(file_ / (key + ".json"), label.error);
      sources.SetClass(*picture, label.text);
      if (!from_json) labelled.insert(*picture);
    }
  }
}

void WebSamples::Apply(SourceList& sources, std::uint64_t first) {
  if (!IsWebDataset(sources, first)) return;
  KeepOnePicture(sources, first);
  for (const std::string& column : columns_) sources.OfferLabelColumn(column);
  if (labels_.empty()) return;
  sources.KnowLabels();
  Pictures pictures;
  for (std::uint64_t i = first; i < sources.size(); ++i) {
    if (sources.WhyRejected(i) != nullptr) continue;
    pictures.push_back({HashOf(SplitSampleName(sources.Name(i)).key), sources.Position(i), i});
  }
  std::sort(pictures.begin(), pictures.end());
  SetLabels(pictures, sources);
}

}  // namespace gan::preprocess
