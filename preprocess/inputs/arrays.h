// Raw arrays of pictures: NumPy's .npy and .npz, MNIST's IDX, the binary version of CIFAR-10 and CIFAR-100.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "preprocess/inputs/array_header.h"
#include "preprocess/inputs/array_layout.h"
#include "preprocess/inputs/byte_source.h"
#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// The arrays of one file, folder or archive: pictures, labels or names of labels. Not thread-safe.
class Arrays {
 public:
  Arrays(const LabelOptions& options, std::filesystem::path root) : options_(options), root_(std::move(root)) {}

  // Whether a file is such an array, by its name and first bytes.
  static bool IsOne(std::string_view name, std::string_view head);
  // Adds a file. `bytes`: its length if known, otherwise 0. Throws DataError naming it when it is damaged.
  void Take(const std::string& name, ByteOrigin origin, std::uint64_t bytes);
  // Adds the file `name` of the folder, and the files beside it that may contain its labels.
  void TakeWithLabels(const std::string& name);
  // Adds every picture of the arrays to `sources` in the order of their names, each array as a container. Throws
  // DataError naming an array that is damaged or does not match the others, and IoError.
  void AddTo(SourceList& sources);

 private:
  struct File {
    ByteOrigin origin;
    std::uint64_t bytes = 0;
    std::optional<ArrayHeader> header;  // nothing: CIFAR's
  };

  template <typename Read>
  void OrDataError(const std::string& name, const Read& read) const;
  std::string ReadAll(const std::string& name, const File& file) const;
  std::uint64_t LengthOf(const File& file) const;
  bool IsUnpackedToo(const std::string& name) const;
  void AddArray(const std::string& name, const File& file, SourceList& sources);
  void AddCifar(const std::string& name, const File& file, SourceList& sources);
  void Add(const std::string& name, const File& file, const PictureArray& layout, SourceList& sources) const;
  void TellOfThreePlanes(SourceList& sources) const;
  void OfferColumns(SourceList& sources) const;
  void Label(const std::string& name, std::uint64_t count, SourceList& sources);
  void LabelCifar(const std::string& name, const File& file, const PictureArray& layout, SourceList& sources);
  std::vector<std::string> CifarNames(bool is_cifar_100, bool is_coarse) const;
  const std::string* FindLabels(const std::string& pictures) const;

  const LabelOptions& options_;
  const std::filesystem::path root_;
  std::map<std::string, File> files_;
};

}  // namespace gan::preprocess
