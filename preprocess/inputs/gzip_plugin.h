// The interface of libgan_gzip.so, which links ISA-L and is loaded for the first gzip file only.
#pragma once

#include <cstddef>
#include <span>

namespace gan::preprocess {

// One stream of gzip. For one thread at a time.
class Inflater {
 public:
  enum class Result { kMore, kEnd, kDamaged };

  virtual ~Inflater() = default;
  // Reads from the beginning of `in`, writes to the beginning of `out`, and shortens both by the used part. kMore: `in`
  // or `out` is used up. kEnd: a member of the file ends here and its checksum is right; the next call begins another
  // member. After kDamaged no call may follow.
  virtual Result Inflate(std::span<const std::byte>& in, std::span<std::byte>& out) = 0;

 protected:
  Inflater() = default;
  Inflater(const Inflater&) = default;
  Inflater& operator=(const Inflater&) = default;
};

// The only symbol that the program looks up: GanNewInflater.
using GanNewInflater = Inflater*();

}  // namespace gan::preprocess
