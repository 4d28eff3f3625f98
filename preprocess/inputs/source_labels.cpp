#include <algorithm>
#include <charconv>
#include <tuple>

#include <nlohmann/json.hpp>

#include "preprocess/inputs/sources.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kLongestLabel = 1000;
constexpr std::size_t kColumnsTold = 40, kLongestTold = 100;  // limits for a message

// Labels are written to JSON, whose texts are UTF-8.
std::string Utf8(std::string_view text) {
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

// Numbers are sorted as numbers: 10 comes after 9.
bool ComesBefore(const std::string& a, const std::string& b) {
  const auto key = [](const std::string& text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool is_number = !text.empty() && error == std::errc() && stop == end;
    return std::tuple(!text.empty(), !is_number, is_number ? number : 0, std::string_view(text));
  };
  return key(a) < key(b);
}

}  // namespace

std::uint32_t SourceList::Intern(std::string_view label) {
  std::string text(label);
  auto found = label_places_.find(text);
  if (found != label_places_.end()) return found->second;
  const std::filesystem::path file = origins_.empty() ? std::filesystem::path() : origins_.back().root;
  if (text.size() > kLongestLabel) throw DataError(file, "a label of over 1,000 bytes: " + text.substr(0, 60) + "...");
  const std::string raw = text;
  text = Utf8(raw);
  // Labels with other bytes stay distinct, even if they look the same after invalid bytes were replaced.
  for (int n = 2; label_places_.contains(text); ++n) text = Utf8(raw) + " (" + std::to_string(n) + ")";
  if (labels_.size() > kMaxLabels) {
    throw DataError(file,
                    "over 100,000 different labels, the last one \"" + text.substr(0, 60) + "\": are they classes?");
  }
  const auto place = static_cast<std::uint32_t>(labels_.size());
  labels_.push_back(text);
  // Both spellings lead to the label: the bytes of the source, and their replacement.
  label_places_.emplace(raw, place);
  label_places_.emplace(std::move(text), place);
  return place;
}

void SourceList::SetLabel(std::uint64_t i, std::string_view label) { entries_[i].label = Intern(label); }

void SourceList::DeclareLabels(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::uint32_t place = Intern(name);
    if (is_declared_.insert(place).second) declared_labels_.push_back(place);
  }
}

void SourceList::RequireLabelColumn(const std::string& column) const {
  if (column.empty() || label_columns_.contains(column)) return;
  std::string names;
  std::size_t told = 0;
  for (const std::string& name : label_columns_) {
    if (++told > kColumnsTold) break;
    names += (names.empty() ? "" : ", ") + name.substr(0, kLongestTold);
  }
  if (told > kColumnsTold) names += " and " + storage::Counted(label_columns_.size() - kColumnsTold, "other");
  throw UsageError("--label-column " + column +
                   (names.empty() ? ": the inputs have no labels to choose from" : ": the inputs have " + names));
}

std::uint64_t SourceList::CountWithoutLabel() const {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.label == 0 && e.rejection == 0; }));
}

std::vector<std::string> SourceList::LabelNames() const {
  std::vector<bool> used(labels_.size());
  for (const Entry& entry : entries_) used[entry.label] = used[entry.label] || entry.rejection == 0;
  std::vector<std::string> names, others;
  for (const std::uint32_t place : declared_labels_) names.push_back(labels_[place]);
  for (std::size_t place = 0; place < labels_.size(); ++place) {
    if (used[place] && !is_declared_.contains(static_cast<std::uint32_t>(place))) others.push_back(labels_[place]);
  }
  if (names.empty() && others == std::vector<std::string>{""}) return {};
  std::sort(others.begin(), others.end(), ComesBefore);
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

}  // namespace gan::preprocess
