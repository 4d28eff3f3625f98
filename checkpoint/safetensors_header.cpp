#include "checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/errors.h"
#include "storage/parse_json.h"

namespace gan::checkpoint {

namespace {

using nlohmann::json;

// A dimension is stored as a signed 64-bit integer.
constexpr std::uint64_t kMaxCount = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kMetadata = "__metadata__";

// A parser with callbacks. `level_` is the depth in the header: 0 outside, 1 in the object of all tensors, 2 in the
// object of one tensor, 3 in one of its arrays of numbers. Unknown content (metadata, fields of a newer writer) is
// skipped at every level.
// Events instead of a parsed document: a header of a hundred megabytes would need several times that as a document, and
// a document keeps only one of two equal names.
class HeaderReader : public json::json_sax_t {
 public:
  HeaderReader(const std::filesystem::path& file, std::uint64_t at) : file_(file), at_(at) {}

  bool null() override { return Scalar("null"); }
  bool boolean(bool value) override { return Scalar(value ? "true" : "false"); }
  bool number_integer(json::number_integer_t value) override { return Scalar(std::to_string(value)); }
  bool number_float(json::number_float_t, const std::string& text) override { return Scalar(text); }
  bool binary(json::binary_t&) override { return Scalar("binary data"); }

  // The only numbers that matter are those of the arrays on level 3: dimensions and offsets.
  bool number_unsigned(json::number_unsigned_t value) override {
    if (skipping_ || level_ != 3) return Scalar(std::to_string(value));
    if (value > kMaxCount) NoCount(std::to_string(value));
    if (field_ == Field::kShape) {
      if (entry_.shape.size() == kMaxDimensions)
        Refuse("has more than " + std::to_string(kMaxDimensions) + " dimensions");
      entry_.shape.push_back(static_cast<std::int64_t>(value));
    } else {
      if (offsets_ == 2) Refuse("needs two offsets");
      (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
    }
    return true;
  }

  bool string(std::string& value) override {
    if (skipping_ || level_ != 2 || field_ != Field::kDtype) return Scalar("\"" + value + "\"");
    entry_.dtype = value;
    return true;
  }

  // Objects may only be the header itself and the tensors in it.
  bool start_object(std::size_t) override {
    if (Skips()) return Deeper();
    if (level_ >= 2) NotAsItMustBe();
    ++level_;
    return true;
  }

  bool end_object() override {
    if (skipping_) return Shallower();
    if (--level_ == 1) Finish();
    return true;
  }

  // Arrays are only allowed for the shape and the offsets of a tensor.
  bool start_array(std::size_t) override {
    if (Skips()) return Deeper();
    if (level_ == 3) NoCount("a list");
    if (level_ == 0) throw DataError(file_, at_, "the header is not a JSON object");
    if (level_ != 2 || field_ == Field::kDtype) NotAsItMustBe();
    ++level_;
    return true;
  }

  bool end_array() override {
    if (skipping_) return Shallower();
    --level_;
    return true;
  }

  // Duplicate fields are rejected: JSON libraries differ in which of them they use, so a file could mean two things.
  bool key(std::string& name) override {
    if (skipping_) return true;
    if (level_ == 1) return Begin(name);
    field_ = FieldOf(name);
    const auto bit = 1U << static_cast<unsigned>(field_);
    if (field_ != Field::kOther && (seen_ & bit) != 0) Twice(name);
    seen_ |= bit;
    return true;
  }

  // The library reports numbers out of range as exceptions of another class than syntax errors.
  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    const bool is_syntax = dynamic_cast<const json::parse_error*>(&error) != nullptr;
    throw DataError(
        file_, at_ + position,
        is_syntax ? "the header is not JSON" : std::string("the header holds a value out of range: ") + error.what());
  }

  // Sorting makes duplicate names neighbours, so that finding them needs no set.
  std::vector<HeaderEntry> Take() {
    const auto by_name = [](const HeaderEntry& a, const HeaderEntry& b) { return a.name < b.name; };
    std::sort(entries_.begin(), entries_.end(), by_name);
    const auto twice = std::adjacent_find(entries_.begin(), entries_.end(),
                                          [](const HeaderEntry& a, const HeaderEntry& b) { return a.name == b.name; });
    if (twice != entries_.end()) Twice(twice->name);
    return std::move(entries_);
  }

 private:
  enum class Field : unsigned { kDtype, kShape, kOffsets, kOther };

  static Field FieldOf(const std::string& name) {
    if (name == "dtype") return Field::kDtype;
    if (name == "shape") return Field::kShape;
    return name == "data_offsets" ? Field::kOffsets : Field::kOther;
  }

  // Whether the value that begins is unknown content.
  bool Skips() const { return skipping_ || (level_ == 1 && in_metadata_) || (level_ == 2 && field_ == Field::kOther); }
  // Skipped content is only counted by depth, which is limited like that of all JSON files.
  bool Deeper() {
    skipping_ = true;
    if (level_ + ++skipped_ > storage::kMaxJsonDepth) {
      throw DataError(file_, at_,
                      "the header is nested deeper than " + std::to_string(storage::kMaxJsonDepth) + " levels");
    }
    return true;
  }
  bool Shallower() {
    skipping_ = --skipped_ > 0;
    return true;
  }

  // A scalar is valid only as a dtype (handled in string()) or as an array element (handled in number_unsigned()).
  bool Scalar(const std::string& text) {
    if (Skips()) return true;
    if (level_ == 3) NoCount(text);
    if (level_ == 0) throw DataError(file_, at_, "the header is not a JSON object");
    if (level_ == 2 && field_ != Field::kDtype) Refuse("has a value where an array is required");
    NotAsItMustBe();
  }

  bool Begin(const std::string& name) {
    in_metadata_ = name == kMetadata;
    entry_ = {};
    entry_.name = name;
    seen_ = 0;
    offsets_ = 0;
    return true;
  }

  // Called at the end of a tensor's object: all three fields must have been there.
  void Finish() {
    constexpr unsigned kAll = 7;
    if ((seen_ & kAll) != kAll) Refuse("lacks dtype, shape or data_offsets");
    if (offsets_ != 2) Refuse("needs two offsets");
    entries_.push_back(std::move(entry_));
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw DataError(file_, at_, "tensor " + entry_.name + " " + what);
  }
  [[noreturn]] void NoCount(const std::string& text) const {
    Refuse("has " + text + " where a non-negative integer is required");
  }
  [[noreturn]] void NotAsItMustBe() const {
    if (level_ == 2 && field_ != Field::kDtype) Refuse("has a value where an array is required");
    throw DataError(file_, at_, "the header has an invalid structure at tensor " + entry_.name);
  }
  [[noreturn]] void Twice(const std::string& name) const {
    throw DataError(file_, at_, "the header names " + name + " twice");
  }

  const std::filesystem::path& file_;
  const std::uint64_t at_;
  int level_ = 0;
  int skipped_ = 0;  // depth within skipped content
  bool skipping_ = false;
  bool in_metadata_ = false;
  HeaderEntry entry_;
  Field field_ = Field::kOther;
  unsigned seen_ = 0;  // bit set of the fields that were read
  int offsets_ = 0;
  std::vector<HeaderEntry> entries_;
};

}  // namespace

std::vector<HeaderEntry> ParseHeader(std::string_view header, const std::filesystem::path& file, std::uint64_t at) {
  HeaderReader reader(file, at);
  json::sax_parse(header, &reader);
  return reader.Take();
}

}  // namespace gan::checkpoint
