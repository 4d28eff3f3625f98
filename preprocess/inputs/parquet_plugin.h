// The interface of libgan_parquet.so, which links Arrow and is loaded for the first Parquet file only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gan::preprocess {

// One Parquet file with a column of pictures. One thread at a time. Errors are std::runtime_error without the file's
// name, those of the system std::system_error; one of them is a need for more than a gigabyte of memory.
class ParquetFile {
 public:
  virtual ~ParquetFile() = default;
  virtual std::uint64_t rows() const = 0;
  // A sentence for the user about the choice of columns; empty: none.
  virtual std::string Note() const = 0;
  // The class names of a label column that is a ClassLabel of Hugging Face, in their order there.
  virtual std::vector<std::string> LabelNames() const = 0;
  virtual bool HasLabels() const = 0;
  // The columns that could be labels.
  virtual std::vector<std::string> LabelColumns() const = 0;
  // Calls `take` for each row in order; an empty value means that the row has no label. Does not read pictures.
  virtual void ForEachLabel(const std::function<void(std::uint64_t row, std::optional<std::string>)>& take) = 0;
  // The bytes of a row's picture; empty when it has none. Going forward is cheap. Holds one page at a time, however
  // large a row group is.
  virtual std::optional<std::vector<std::byte>> Picture(std::uint64_t row) = 0;

 protected:
  ParquetFile() = default;
  ParquetFile(const ParquetFile&) = default;
  ParquetFile& operator=(const ParquetFile&) = default;
};

// The only symbol that the program looks up: GanOpenParquet. `label_column`: the column with labels; empty: the usual
// one; null: none.
using GanOpenParquet = ParquetFile*(const std::string& path, const std::string* label_column);

}  // namespace gan::preprocess
