#include "preprocess/inputs/parquet_columns.h"

#include <arrow/util/key_value_metadata.h>
#include <parquet/schema.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <nlohmann/json.hpp>

#include "storage/lower.h"
#include "storage/parse_json.h"

namespace gan::preprocess {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 8> kPictureNames = {"image", "img",  "picture", "photo",
                                                           "jpg",   "jpeg", "png",     "webp"};
constexpr std::array<std::string_view, 7> kUsualLabels = {"label",    "labels",     "class", "class_name",
                                                          "category", "label_name", "target"};

// The description of the columns that Hugging Face's `datasets` writes.
json FeaturesOf(const parquet::FileMetaData& metadata) {
  const auto& pairs = metadata.key_value_metadata();
  const int at = pairs ? pairs->FindKey("huggingface") : -1;
  if (at < 0 || !storage::IsModestJson(pairs->value(at))) return json::object();
  const json whole = json::parse(pairs->value(at));
  const json::json_pointer features("/info/features");
  return whole.is_object() && whole.contains(features) && whole.at(features).is_object() ? whole.at(features)
                                                                                         : json::object();
}

bool IsFeature(const json& features, const std::string& name, std::string_view type) {
  const auto found = features.find(name);
  return found != features.end() && found->is_object() && found->value("_type", json()) == type;
}

std::vector<std::string> NamesOf(const json& features, const std::string& column) {
  if (!IsFeature(features, column, "ClassLabel") || !features.at(column).contains("names")) return {};
  std::vector<std::string> names;
  for (const json& name : features.at(column).at("names")) {
    if (name.is_string()) names.push_back(name);
  }
  return names;
}

// "image.bytes" -> the number of its leaf column.
std::map<std::string, int> LeavesOf(const parquet::SchemaDescriptor& schema) {
  std::map<std::string, int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) leaves.emplace(schema.Column(i)->path()->ToDotString(), i);
  return leaves;
}

std::string ListOf(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class Choice {
 public:
  Choice(const parquet::FileMetaData& metadata, const std::string* label_column)
      : schema_(*metadata.schema()), features_(FeaturesOf(metadata)), leaves_(LeavesOf(schema_)) {
    ChoosePicture();
    for (const auto& [path, leaf] : leaves_) {
      // A list has any number of values per row, so it cannot be the label of a picture.
      if (leaf != chosen_.picture && !IsList(leaf)) chosen_.choice.push_back(path);
    }
    if (label_column != nullptr) ChooseLabel(*label_column);
  }

  ParquetColumns Result() const { return chosen_; }

 private:
  bool IsList(int leaf) const { return schema_.Column(leaf)->max_repetition_level() > 0; }
  bool IsBytes(int leaf) const {
    return schema_.Column(leaf)->physical_type() == parquet::Type::BYTE_ARRAY && !IsList(leaf);
  }

  // The leaf column with the pictures of a top-level column; empty when it has none.
  std::optional<int> PictureLeaf(const std::string& column) const {
    // Hugging Face's pictures are structures of `bytes` and `path`.
    for (const std::string& path : {column + ".bytes", column}) {
      const auto leaf = leaves_.find(path);
      if (leaf != leaves_.end() && IsBytes(leaf->second)) return leaf->second;
    }
    return std::nullopt;
  }

  bool LooksLikePictures(const std::string& column, int leaf) const {
    if (IsFeature(features_, column, "Image")) return true;
    if (schema_.Column(leaf)->path()->ToDotVector().size() > 1) return true;
    const auto& type = schema_.Column(leaf)->logical_type();
    const bool is_text = type && type->is_string();
    // A column called "image" may contain paths, which are texts.
    return !is_text && std::find(kPictureNames.begin(), kPictureNames.end(), column) != kPictureNames.end();
  }

  std::vector<std::string> TopColumns() const {
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(schema_.group_node()->field_count()));
    for (int i = 0; i < schema_.group_node()->field_count(); ++i)
      names.push_back(schema_.group_node()->field(i)->name());
    return names;
  }

  void ChoosePicture() {
    std::vector<std::string> found;
    for (const std::string& column : TopColumns()) {
      const std::optional<int> leaf = PictureLeaf(column);
      if (leaf && LooksLikePictures(column, *leaf)) found.push_back(column);
    }
    if (found.empty()) {
      throw std::runtime_error("has no column of pictures; its columns are " + ListOf(TopColumns()));
    }
    std::string best = found[0];
    for (const std::string_view name : kPictureNames) {
      if (std::find(found.begin(), found.end(), name) == found.end()) continue;
      best = name;
      break;
    }
    chosen_.picture = *PictureLeaf(best);
    if (found.size() > 1) chosen_.note = "has the columns of pictures " + ListOf(found) + "; " + best + " is read";
  }

  void ChooseLabel(const std::string& wanted) {
    const std::string column = wanted.empty() ? UsualLabel() : wanted;
    if (column.empty()) return;
    const auto leaf = leaves_.find(column);
    const auto below = leaves_.lower_bound(column + ".");
    const bool is_structure = below != leaves_.end() && below->first.starts_with(column + ".");
    if (leaf == leaves_.end() && !is_structure) return;
    if (leaf == leaves_.end() || IsList(leaf->second)) {
      throw std::runtime_error("its column " + column +
                               " holds lists or structures, not the label of a class; --labels none reads the pictures "
                               "alone");
    }
    chosen_.label = leaf->second;
    chosen_.label_names = NamesOf(features_, column);
  }

  std::string UsualLabel() const {
    const std::vector<std::string> columns = TopColumns();
    for (const std::string_view usual : kUsualLabels) {
      const auto found = std::find_if(columns.begin(), columns.end(),
                                      [&](const std::string& name) { return storage::Lower(name) == usual; });
      if (found != columns.end()) return *found;
    }
    const auto is_class = [&](const std::string& name) { return IsFeature(features_, name, "ClassLabel"); };
    const auto found = std::find_if(columns.begin(), columns.end(), is_class);
    return found == columns.end() ? "" : *found;
  }

  const parquet::SchemaDescriptor& schema_;
  const json features_;
  const std::map<std::string, int> leaves_;
  ParquetColumns chosen_;
};

}  // namespace

ParquetColumns ChooseColumns(const parquet::FileMetaData& metadata, const std::string* label_column) {
  return Choice(metadata, label_column).Result();
}

}  // namespace gan::preprocess
