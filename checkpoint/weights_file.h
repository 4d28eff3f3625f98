// Weights that come from elsewhere: one safetensors file with PyTorch's parameter names.
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

// F32, F64, F16 and BF16 as float. Throws DataError naming the tensor for another type.
std::vector<float> ToFloats(const TensorView& tensor, const std::filesystem::path& file);

// A mapped safetensors file. Throws DataError when it is damaged, and when it is a pickle of PyTorch says how to turn
// it into safetensors.
class WeightsFile {
 public:
  explicit WeightsFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return mapped_.path(); }
  const TensorsByName& tensors() const { return tensors_; }
  const TensorView* Find(const std::string& name) const;  // null when there is none
  // To be asked when the tensors were used: throws when some bytes could not be read (storage/files.h).
  void RequireRead() const { mapped_.RequireRead(); }

  // What stands before "0.weight": "<network>." when the file keeps several networks apart so, else the only prefix
  // there is ("" or, as in the DCGAN scripts that many people start from, "main."). Throws DataError when there is none
  // or several.
  std::string PrefixOf(const std::string& network) const;

 private:
  storage::MappedFile mapped_;
  TensorsByName tensors_;
};

}  // namespace gan::checkpoint
