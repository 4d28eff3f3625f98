#include "preprocess/inputs/dataset_json.h"

#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace {

using nlohmann::json;

// The parser's events, by depth: 1 the object, 2 the list of labels, 3 a pair. Other members are ignored.
class PairReader : public json::json_sax_t {
 public:
  PairReader(const std::filesystem::path& file, const std::function<void(const std::string&, const std::string&)>& take)
      : file_(file), take_(take) {}

  // Each of these functions returns whether to continue.
  bool null() override { return Value(std::nullopt, "null"); }
  bool boolean(bool /*value*/) override { return Value(std::nullopt, "a truth value"); }
  bool number_integer(number_integer_t value) override { return Value(std::to_string(value), ""); }
  bool number_unsigned(number_unsigned_t value) override { return Value(std::to_string(value), ""); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return Value(std::nullopt, "the fraction " + text.substr(0, 40));
  }
  bool binary(binary_t& /*value*/) override { return false; }

  bool string(string_t& text) override {
    if (!InPair()) return RequireNoPair();
    if (fields_++ == 0) {
      picture_ = text;
      return true;
    }
    label_ = text;
    return true;
  }

  bool start_object(std::size_t /*count*/) override {
    if (InPair()) Refuse("an object");
    if (InLabels()) RequireNoPair();
    if (in_labels_ && depth_ == 1) throw DataError(file_, "`labels` is no list of pairs");
    return Enter();
  }
  bool end_object() override { return Leave(); }

  bool start_array(std::size_t /*count*/) override {
    if (InPair()) Refuse("a vector");
    fields_ = 0;
    return Enter();
  }

  bool end_array() override {
    if (InPair()) {
      if (fields_ != 2)
        throw DataError(file_, "a pair of `labels` with " + storage::Counted(fields_, "value") + ", after " + picture_);
      take_(picture_, label_);
    }
    return Leave();
  }

  bool key(string_t& name) override {
    // Objects at a greater depth may have a member of this name, too.
    if (depth_ == 1) in_labels_ = name == "labels";
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const json::exception& error) override {
    throw DataError(file_, position, std::string("is not JSON: ") + error.what());
  }

 private:
  // The same limit as for all other JSON (storage/parse_json.h), which this parser does not use.
  static constexpr int kMaxDepth = 64;

  bool InLabels() const { return in_labels_ && depth_ == 2; }
  bool InPair() const { return in_labels_ && depth_ == 3; }

  bool RequireNoPair() const {
    if (InLabels()) throw DataError(file_, "`labels` holds something that is no pair, after " + picture_);
    return true;
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw DataError(file_, "the label of " + picture_ + " is " + what +
                               ", not the number of a class; --labels none reads the pictures alone");
  }

  bool Value(std::optional<std::string> text, const std::string& what) {
    if (!InPair()) return RequireNoPair();
    if (!text) Refuse(what);
    if (fields_++ == 0) throw DataError(file_, "a pair of `labels` begins with a number, after " + picture_);
    label_ = std::move(*text);
    return true;
  }

  bool Enter() {
    if (++depth_ > kMaxDepth) throw DataError(file_, "is nested over 64 deep");
    return true;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  const std::filesystem::path& file_;
  const std::function<void(const std::string&, const std::string&)>& take_;
  int depth_ = 0;
  int fields_ = 0;
  bool in_labels_ = false;
  std::string picture_, label_;
};

}  // namespace

void ReadStyleGanLabels(const std::string& text, const std::filesystem::path& file,
                        const std::function<void(const std::string&, const std::string&)>& take) {
  PairReader reader(file, take);
  json::sax_parse(text, &reader);
}

}  // namespace gan::preprocess
