// Files that hold many pictures: archives, arrays, tables, databases. One reader interface for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace gan::preprocess {

// The content of one picture in a container: the bytes of a picture file or, when `width` is not 0, pixels.
struct Contents {
  std::vector<std::byte> bytes;
  // the size of pixels, which are uint8 [height, width, channels] with 1, 3 or 4 channels
  std::uint32_t width = 0, height = 0, channels = 0;

  bool ArePixels() const { return width > 0; }
};

// Reads pictures, fastest in the container's order. The order of reading does not change the pictures. One thread at a
// time.
class ContainerReader {
 public:
  virtual ~ContainerReader() = default;
  // The picture at `position` with its `bytes` bytes, both as listed. Throws Rejected; IoError for errors that may
  // pass.
  virtual Contents Read(std::uint32_t position, std::uint64_t bytes) = 0;

 protected:
  ContainerReader() = default;
  ContainerReader(const ContainerReader&) = default;
  ContainerReader(ContainerReader&&) = default;
  ContainerReader& operator=(const ContainerReader&) = default;
  ContainerReader& operator=(ContainerReader&&) = default;
};

using OpenContainer = std::function<std::unique_ptr<ContainerReader>()>;

}  // namespace gan::preprocess
