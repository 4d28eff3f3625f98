// Parquet files of pictures, as Hugging Face publishes data sets.
#pragma once

#include <filesystem>
#include <string_view>

#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

bool IsParquet(std::string_view head);

// Adds every row of a file; one whose picture is missing is rejected when it is read. Throws DataError naming the file
// when it is damaged or has no pictures, UsageError when libgan_parquet.so cannot be loaded.
void AddParquet(const std::filesystem::path& file, const LabelOptions& labels, SourceList& found);

}  // namespace gan::preprocess
