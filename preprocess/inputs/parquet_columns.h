// Which columns of a Parquet file are the pictures and their labels. Part of the plugin.
#pragma once

#include <parquet/metadata.h>

#include <string>
#include <vector>

namespace gan::preprocess {

struct ParquetColumns {
  int picture = -1;  // leaf columns by number
  int label = -1;    // none
  std::vector<std::string> label_names;
  std::vector<std::string> choice;  // columns that could label
  std::string note;
};

// Pictures: a column of Hugging Face's feature Image, else a struct with `bytes`, else bytes that are called like a
// picture; of several the first called image, img or picture, or else the first. Labels: `label_column`; where it is
// empty, the first that is called label, class and the like, or else the first ClassLabel; where it is null, none.
// Throws std::runtime_error when there are no pictures.
ParquetColumns ChooseColumns(const parquet::FileMetaData& metadata, const std::string* label_column);

}  // namespace gan::preprocess
