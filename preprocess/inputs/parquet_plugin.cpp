// The plugin that links Arrow and Parquet.
#include "preprocess/inputs/parquet_plugin.h"

#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/util/io_util.h>
#include <parquet/api/reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

#include "preprocess/inputs/parquet_columns.h"
#include "storage/counted.h"

namespace gan::preprocess {

namespace {

// The size of an unpacked page is read from the file. Without this limit a small file could make the program allocate
// any amount.
constexpr std::int64_t kMaxMemory = std::int64_t{1} << 30;
constexpr std::int64_t kBufferBytes = std::int64_t{256} << 10;
constexpr std::int64_t kBatch = 1024;

std::string_view TextOf(const parquet::ByteArray& value) {
  return {reinterpret_cast<const char*>(value.ptr), value.len};
}

// Arrow's errors of the system become std::system_error, because they do not mean damage.
template <typename Work>
auto TellingSystemErrors(const Work& work) {
  try {
    return work();
  } catch (const parquet::ParquetStatusException& error) {
    const int number = arrow::internal::ErrnoFromStatus(error.status());
    if (number != 0) throw std::system_error(number, std::generic_category());
    throw;
  }
}

class File : public ParquetFile {
 public:
  File(const std::string& path, const std::string* label_column)
      : pool_(arrow::default_memory_pool(), kMaxMemory),
        properties_(&pool_),
        reader_(Open(path)),
        columns_(ChooseColumns(*reader_->metadata(), label_column)) {}

  std::uint64_t rows() const override { return static_cast<std::uint64_t>(reader_->metadata()->num_rows()); }
  std::string Note() const override { return columns_.note; }
  std::vector<std::string> LabelNames() const override { return columns_.label_names; }
  bool HasLabels() const override { return columns_.label >= 0; }
  std::vector<std::string> LabelColumns() const override { return columns_.choice; }

  void ForEachLabel(const std::function<void(std::uint64_t, std::optional<std::string>)>& take) override {
    TellingSystemErrors([&] { TakeLabels(take); });
  }

  void TakeLabels(const std::function<void(std::uint64_t, std::optional<std::string>)>& take) const {
    std::uint64_t row = 0;
    for (int group = 0; group < reader_->metadata()->num_row_groups(); ++group) {
      const std::shared_ptr<parquet::ColumnReader> column = reader_->RowGroup(group)->Column(columns_.label);
      ReadLabels(*column, [&](std::optional<std::string> label) { take(row++, std::move(label)); });
    }
    if (row != rows()) throw std::runtime_error("its column of labels has " + storage::Counted(row, "row"));
  }

  std::optional<std::vector<std::byte>> Picture(std::uint64_t row) override {
    try {
      return TellingSystemErrors([&] { return Next(row); });
    } catch (...) {
      pictures_.reset();  // after an error Arrow's reader must not be asked again
      throw;
    }
  }

 private:
  std::optional<std::vector<std::byte>> Next(std::uint64_t row) {
    MoveTo(row);
    std::int16_t level = 0;
    parquet::ByteArray value;
    std::int64_t found = 0;
    auto& column = static_cast<parquet::ByteArrayReader&>(*pictures_);
    const std::int64_t read = column.ReadBatch(1, &level, nullptr, &value, &found);
    ++next_;
    if (read != 1) throw std::runtime_error("its column of pictures ends early");
    if (found == 0) return std::nullopt;
    const auto* begin = reinterpret_cast<const std::byte*>(value.ptr);
    return std::vector<std::byte>(begin, begin + value.len);
  }

  std::unique_ptr<parquet::ParquetFileReader> Open(const std::string& path) {
    // Without this, Arrow reads a whole column chunk at once, which may be most of the file.
    properties_.enable_buffered_stream();
    properties_.set_buffer_size(kBufferBytes);
    properties_.set_page_checksum_verification(true);
    return parquet::ParquetFileReader::OpenFile(path, /*memory_map=*/false, properties_);
  }

  // Opens the column at the row group of the row, unless it is already open before the row, and skips to the row.
  void MoveTo(std::uint64_t row) {
    std::uint64_t begin = 0;
    int group = 0;
    for (; group < reader_->metadata()->num_row_groups(); ++group) {
      const auto rows = static_cast<std::uint64_t>(reader_->metadata()->RowGroup(group)->num_rows());
      if (row < begin + rows) break;
      begin += rows;
    }
    if (group == reader_->metadata()->num_row_groups())
      throw std::runtime_error("it has no row " + std::to_string(row));
    if (!pictures_ || group != group_ || row < next_) {
      pictures_ = reader_->RowGroup(group)->Column(columns_.picture);
      group_ = group;
      next_ = begin;
    }
    if (row > next_) static_cast<parquet::ByteArrayReader&>(*pictures_).Skip(static_cast<std::int64_t>(row - next_));
    next_ = row;
  }

  template <typename Reader, typename Value, typename Take>
  static void ReadColumn(parquet::ColumnReader& column, const Take& take) {
    auto& typed = static_cast<Reader&>(column);
    const std::int16_t present = column.descr()->max_definition_level();
    std::array<std::int16_t, kBatch> levels{};
    // Not a vector, because std::vector<bool> has no array that Arrow could write to.
    const std::unique_ptr<Value[]> values(new Value[kBatch]);
    while (typed.HasNext()) {
      std::int64_t found = 0;
      const std::int64_t read = typed.ReadBatch(kBatch, levels.data(), nullptr, values.get(), &found);
      for (std::int64_t i = 0, at = 0; i < read; ++i) {
        // Rows without a value have a level, but no place among the values.
        const bool is_there = present == 0 || levels[static_cast<std::size_t>(i)] == present;
        take(is_there ? &values[static_cast<std::size_t>(at++)] : nullptr);
      }
    }
  }

  // In Hugging Face's data sets -1 means no label.
  template <typename Number>
  std::optional<std::string> NumberLabel(Number number) const {
    const std::vector<std::string>& names = columns_.label_names;
    if (names.empty()) return std::to_string(number);
    if (std::cmp_equal(number, -1)) return std::nullopt;
    if (std::cmp_less(number, 0) || std::cmp_greater_equal(number, names.size())) {
      throw std::runtime_error("it has the label " + std::to_string(number) + ", which has no name");
    }
    return names[static_cast<std::size_t>(number)];
  }

  template <typename Take>
  void ReadLabels(parquet::ColumnReader& column, const Take& take) const {
    const auto& type = column.descr()->logical_type();
    const bool is_unsigned = type && type->is_int() && !static_cast<const parquet::IntLogicalType&>(*type).is_signed();
    const auto number = [&]<typename Number>(const Number* value) {
      if (value == nullptr) return take(std::nullopt);
      if (is_unsigned) return take(NumberLabel(static_cast<std::make_unsigned_t<Number>>(*value)));
      take(NumberLabel(*value));
    };
    switch (column.type()) {
      case parquet::Type::INT32:
        return ReadColumn<parquet::Int32Reader, std::int32_t>(column, number);
      case parquet::Type::INT64:
        return ReadColumn<parquet::Int64Reader, std::int64_t>(column, number);
      case parquet::Type::BOOLEAN:
        return ReadColumn<parquet::BoolReader, bool>(column, [&](const bool* value) {
          take(value == nullptr ? std::nullopt : std::optional<std::string>(*value ? "true" : "false"));
        });
      case parquet::Type::BYTE_ARRAY:
        return ReadColumn<parquet::ByteArrayReader, parquet::ByteArray>(column, [&](const parquet::ByteArray* value) {
          take(value == nullptr ? std::nullopt : std::optional<std::string>(TextOf(*value)));
        });
      default:
        throw std::runtime_error("its labels are " + parquet::TypeToString(column.type()) +
                                 ", neither whole numbers nor names; --labels none reads the pictures alone");
    }
  }

  arrow::CappedMemoryPool pool_;
  parquet::ReaderProperties properties_;
  std::unique_ptr<parquet::ParquetFileReader> reader_;
  const ParquetColumns columns_;
  std::shared_ptr<parquet::ColumnReader> pictures_;
  int group_ = -1;
  std::uint64_t next_ = 0;  // the row that pictures_ reads next
};

}  // namespace

}  // namespace gan::preprocess

extern "C" __attribute__((visibility("default"))) gan::preprocess::ParquetFile* GanOpenParquet(
    const std::string& path, const std::string* label_column) {
  return gan::preprocess::TellingSystemErrors([&] { return new gan::preprocess::File(path, label_column); });
}
