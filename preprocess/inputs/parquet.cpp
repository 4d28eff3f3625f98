#include "preprocess/inputs/parquet.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "plugin/plugin.h"
#include "preprocess/image/rejected.h"
#include "preprocess/inputs/container.h"
#include "preprocess/inputs/input_file.h"
#include "preprocess/inputs/parquet_plugin.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

// A position has 32 bits.
constexpr std::uint64_t kMostRows = std::uint64_t{1} << 32;

GanOpenParquet* LoadPlugin(const fs::path& file) {
  Plugin plugin("libgan_parquet.so");
  auto* const open = plugin.Find<GanOpenParquet>("GanOpenParquet");
  if (open != nullptr) return open;
  throw UsageError(file.string() +
                   ": Parquet is read with Arrow from the Python package pyarrow 26, which is missing: pip install "
                   "\"equipoise[parquet]\" where Equipoise is a wheel, else run setup/arrow.sh and build again (" +
                   plugin.why() + ")");
}

// Throws IoError for an error of the system that may pass.
void RequireDamage(const fs::path& file, const std::exception& error) {
  const auto* of_system = dynamic_cast<const std::system_error*>(&error);
  if (of_system == nullptr || !MayPass(of_system->code().value())) return;
  throw IoError(file, "read", of_system->code().value());
}

std::unique_ptr<ParquetFile> Open(const fs::path& file, const std::string* label_column) {
  static GanOpenParquet* const kOpen = LoadPlugin(file);
  try {
    return std::unique_ptr<ParquetFile>(kOpen(file.string(), label_column));
  } catch (const std::exception& error) {
    RequireDamage(file, error);
    throw DataError(file, error.what());
  }
}

class ParquetReader : public ContainerReader {
 public:
  // Opened without a label column, because the listing has read the labels.
  explicit ParquetReader(const fs::path& file) : path_(file), file_(Open(file, nullptr)) {}

  Contents Read(std::uint32_t position, std::uint64_t /*bytes*/) override {
    std::optional<std::vector<std::byte>> bytes = Picture(position);
    if (!bytes)
      throw Rejected(
          Reason::kNotAPicture,
          "the row holds no picture (to_parquet of the package datasets stores paths, push_to_hub pictures)");
    return {.bytes = std::move(*bytes)};
  }

 private:
  std::optional<std::vector<std::byte>> Picture(std::uint32_t position) {
    try {
      return file_->Picture(position);
    } catch (const std::system_error& error) {
      RequireDamage(path_, error);
      throw Rejected(Reason::kUnreadable, error.what());
    } catch (const std::exception& error) {
      throw Rejected(Reason::kCorrupt, std::string("the Parquet file is damaged here: ") + error.what());
    }
  }

  const fs::path path_;
  std::unique_ptr<ParquetFile> file_;
};

void Label(ParquetFile& parquet, const fs::path& file, std::uint64_t first, SourceList& found) {
  found.KnowLabels();
  found.DeclareLabels(parquet.LabelNames());
  try {
    parquet.ForEachLabel([&](std::uint64_t row, std::optional<std::string> label) {
      if (label && first + row < found.size()) found.SetClass(first + row, *label);
    });
  } catch (const DataError&) {
    throw;
  } catch (const std::exception& error) {
    RequireDamage(file, error);
    throw DataError(file, error.what());
  }
}

}  // namespace

bool IsParquet(std::string_view head) { return head.starts_with("PAR1"); }

void AddParquet(const fs::path& file, const LabelOptions& labels, SourceList& found) {
  const bool is_labelled = labels.mode == LabelMode::kAuto;
  const std::unique_ptr<ParquetFile> parquet = Open(file, is_labelled ? &labels.column : nullptr);
  if (parquet->rows() >= kMostRows) throw DataError(file, "has over four billion rows");
  if (!parquet->Note().empty()) found.Note(file.string() + " " + parquet->Note());
  const std::uint64_t first = found.size();
  const std::string name = file.filename().string();
  const auto open = [file] { return std::make_unique<ParquetReader>(file); };
  found.BeginContainer(file, open, fs::file_size(file), name.size());
  for (std::uint64_t row = 0; row < parquet->rows(); ++row) {
    // The size is 0 here, because the size of a picture is unknown before its page is read.
    found.Add(name + "/" + std::to_string(row), 0, static_cast<std::uint32_t>(row));
  }
  const std::vector<std::string> columns = parquet->LabelColumns();
  for (const std::string& column : columns) found.OfferLabelColumn(column);
  if (is_labelled && labels.column.empty() && !parquet->HasLabels() && !columns.empty()) {
    found.Note(file.string() + " has no column of labels by name; --label-column NAME takes another one, for example " +
               columns.back());
  }
  if (is_labelled && parquet->HasLabels()) Label(*parquet, file, first, found);
}

}  // namespace gan::preprocess
