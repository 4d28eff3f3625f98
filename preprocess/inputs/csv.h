// Comma-separated values after RFC 4180: quoted fields may hold commas, line breaks and doubled quotes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gan::preprocess {

// Reads a text row by row. The text must outlive it.
class CsvRows {
 public:
  explicit CsvRows(std::string_view text);

  // Writes the fields of the next row to `row`; false at the end. Empty lines are skipped.
  bool Next(std::vector<std::string>& row);
  std::size_t offset() const { return at_; }  // of the row after the newest one
  bool broken() const { return broken_; }     // a quoted field did not end

 private:
  std::string Field();
  std::string Quoted();

  std::string_view text_;
  std::size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace gan::preprocess
