// Finds the columns of a Parquet file with pictures and labels. Part of the plugin.
#pragma once

#include <parquet/metadata.h>

#include <string>
#include <vector>

namespace gan::preprocess {

struct ParquetColumns {
  int picture = -1;  // leaf columns, by number
  int label = -1;    // none
  std::vector<std::string> label_names;
  std::vector<std::string> choice;  // columns that could be labels
  std::string note;
};

// Pictures: a column of Hugging Face's feature Image, else a struct with `bytes`, else bytes in a column with a usual
// name for pictures. Among several, the first called image, img or picture, or else the first one. Labels:
// `label_column`; if it is empty, the first column called label, class or the like, or else the first ClassLabel; if it
// is null, none. Throws std::runtime_error when there are no pictures.
ParquetColumns ChooseColumns(const parquet::FileMetaData& metadata, const std::string* label_column);

}  // namespace gan::preprocess
