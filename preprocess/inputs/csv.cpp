#include "preprocess/inputs/csv.h"

#include <algorithm>

namespace gan::preprocess {

namespace {

// Spreadsheet programs write UTF-8's byte-order mark, which would become part of the first column's name.
constexpr std::string_view kMark = "\xEF\xBB\xBF";

bool EndsLine(char c) { return c == '\n' || c == '\r'; }

}  // namespace

CsvRows::CsvRows(std::string_view text) : text_(text) {
  if (text_.starts_with(kMark)) at_ = kMark.size();
}

// Read field by field and not line by line, because a quoted field may contain line ends.
bool CsvRows::Next(std::vector<std::string>& row) {
  row.clear();
  while (at_ < text_.size() && EndsLine(text_[at_])) ++at_;
  if (at_ >= text_.size()) return false;
  row.push_back(Field());
  while (at_ < text_.size() && text_[at_] == ',') {
    ++at_;
    row.push_back(Field());
  }
  return !broken_;
}

std::string CsvRows::Field() {
  if (at_ < text_.size() && text_[at_] == '"') return Quoted();
  const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
  const std::string_view field = text_.substr(at_, end - at_);
  at_ = end;
  return std::string(field);
}

std::string CsvRows::Quoted() {
  std::string field;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] != '"') {
      field += text_[at_];
    } else if (text_.substr(at_ + 1).starts_with('"')) {
      field += text_[++at_];
    } else {
      ++at_;
      return field + Field();  // text after a closing quote belongs to the field, as in Python's reader
    }
  }
  broken_ = true;
  return field;
}

}  // namespace gan::preprocess
