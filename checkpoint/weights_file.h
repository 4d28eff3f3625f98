// Weights from other programs: one safetensors file with PyTorch's parameter names.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "storage/files.h"

namespace gan::checkpoint {

using TensorsByName = std::map<std::string, TensorView>;

// The views point into `tensors`.
TensorsByName ViewByName(const std::vector<OwnedTensor>& tensors);

// Converts F32, F64, F16 and BF16 to float. Throws DataError naming the tensor for any other type.
std::vector<float> ToFloats(const TensorView& tensor, const std::filesystem::path& file);

// A memory-mapped safetensors file. Throws DataError when it is damaged. For a PyTorch pickle the message explains how
// to convert it to safetensors.
class WeightsFile {
 public:
  explicit WeightsFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return mapped_.path(); }
  const TensorsByName& tensors() const { return tensors_; }
  const TensorView* Find(const std::string& name) const;  // null when there is none
  // Call it after the tensors were used: throws when some bytes could not be read (storage/files.h).
  void RequireRead() const { mapped_.RequireRead(); }

  // The prefix in front of "0.weight": "<network>." when the file holds several networks under such prefixes, otherwise
  // the only prefix in the file ("", or "main." in the widely used DCGAN example scripts). Throws DataError when there
  // is none or more than one.
  std::string PrefixOf(const std::string& network) const;

 private:
  storage::MappedFile mapped_;
  TensorsByName tensors_;
};

}  // namespace gan::checkpoint
