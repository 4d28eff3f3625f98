#include "preprocess/inputs/web_samples.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/errors.h"
#include "storage/parse_json.h"

namespace gan::preprocess {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kLabelKeys = {"label",      "labels",   "cls",   "class",
                                                        "class_name", "category", "target"};
constexpr std::array<std::string_view, 8> kMasks = {"seg",   "mask",   "segmentation", "depth",
                                                    "label", "labels", "instance",     "semantic"};

std::size_t HashOf(std::string_view key) { return std::hash<std::string_view>()(key); }

// 0: "jpg"; 1: "input.png"; 2: "seg.png".
int RankOf(std::string_view field) {
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

bool WebSamples::TakeField(std::string_view name) {
  const SampleName sample = SplitSampleName(name);
  if (sample.field.empty()) return false;
  keys_.insert(HashOf(sample.key));
  if (options_.mode != LabelMode::kAuto) return false;
  const bool is_chosen = !options_.column.empty() && sample.field == options_.column;
  if (is_chosen || sample.field == "cls") columns_.emplace(sample.field);
  return is_chosen || sample.field == "json" || (sample.field == "cls" && options_.column.empty());
}

void WebSamples::TakeText(std::string_view name, std::string_view text) {
  const SampleName sample = SplitSampleName(name);
  if (sample.field != "json") {  // comes before what JSON says
    labels_.insert_or_assign(std::string(sample.key), std::string(Trimmed(text)));
    return;
  }
  const std::filesystem::path file = file_ / name;
  const json object = storage::ParseJson(text, file);
  if (!object.is_object()) return;  // a caption or boxes
  for (const auto& [key, value] : object.items()) {
    if (value.is_string() || value.is_number_integer()) columns_.insert(key);
  }
  for (const std::string_view wanted : kLabelKeys) {
    const std::string key = options_.column.empty() ? std::string(wanted) : options_.column;
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) continue;
    if (found->is_string()) return Put(sample.key, found->get<std::string>());
    if (found->is_number_integer()) return Put(sample.key, found->dump());
    throw DataError(file, "the label `" + key + "` is neither a name nor a whole number, but " + found->type_name() +
                              "; --label-column NAME takes another one, --labels none the pictures alone");
  }
}

bool WebSamples::IsWebDataset(const SourceList& sources, std::uint64_t first) const {
  for (std::uint64_t i = first; i < sources.size(); ++i) {
    if (sources.WhyRejected(i) != nullptr) continue;
    if (keys_.contains(HashOf(SplitSampleName(sources.Name(i)).key))) return true;
  }
  return false;
}

// What was refused is no picture of a sample: it takes the place of none, and the quarantine tells of it. The damage of
// the archive itself is such an input, and its name may be that of a sample.
void WebSamples::KeepOnePicture(SourceList& sources, std::uint64_t first) const {
  std::unordered_map<std::size_t, std::pair<int, std::uint64_t>> best;  // by the key's hash
  for (std::uint64_t i = first; i < sources.size(); ++i) {
    if (sources.WhyRejected(i) != nullptr) continue;
    const SampleName sample = SplitSampleName(sources.Name(i));
    const std::pair<int, std::uint64_t> here(RankOf(sample.field), i);
    const auto [found, is_new] = best.try_emplace(HashOf(sample.key), here);
    if (!is_new) found->second = std::min(found->second, here);
  }
  sources.KeepFrom(first, [&](std::uint64_t i) {
    const std::string_view name = sources.Name(i);
    const bool kept = sources.WhyRejected(i) != nullptr || best.at(HashOf(SplitSampleName(name).key)).second == i;
    if (!kept) sources.left_out().Count("other picture of a sample", name);
    return kept;
  });
}

void WebSamples::Apply(SourceList& sources, std::uint64_t first) {
  if (!IsWebDataset(sources, first)) return;
  KeepOnePicture(sources, first);
  for (const std::string& column : columns_) sources.OfferLabelColumn(column);
  if (!labels_.empty()) sources.KnowLabels();
  for (std::uint64_t i = first; i < sources.size(); ++i) {
    const auto found = labels_.find(std::string(SplitSampleName(sources.Name(i)).key));
    if (found != labels_.end()) sources.SetLabel(i, found->second);
  }
}

}  // namespace gan::preprocess
