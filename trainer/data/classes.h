// The classes of a labelled data set, and the random choice of a class for a generated image. Needs no LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/sampler.h"

namespace gan::data {

// kData: a class is drawn as often as it occurs in the training images. kUniform: every class that occurs, equally
// often.
enum class ClassSampling : std::uint8_t { kData, kUniform };

struct ClassInfo {
  std::string name;
  std::uint64_t images = 0;  // in training
};

// Empty for a run or a generator without classes. A class is a position in the list.
class Classes {
 public:
  Classes() = default;
  // At least one class must have images.
  Classes(std::vector<ClassInfo> classes, ClassSampling sampling);

  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  const std::vector<ClassInfo>& all() const { return all_; }

  // The class of the image whose latent is number `cursor` of the stream `latents`. The random numbers have their own
  // stream, so the latents of a seed are the same with and without classes.
  std::uint32_t Draw(std::uint64_t seed, Stream latents, std::uint64_t cursor) const;

 private:
  std::vector<ClassInfo> all_;
  std::vector<std::uint64_t> ends_;  // the cumulative weights, by which a class is found
};

}  // namespace gan::data
