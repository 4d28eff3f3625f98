// Converts the bytes of a picture file to one record of a shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "preprocess/decode/decode.h"
#include "preprocess/inputs/container.h"
#include "preprocess/resize/resample.h"

namespace gan::preprocess {

// kFast: a JPEG that is large enough is decoded at 1/2, 1/4 or 1/8 of its size, so that at least twice the target size
// is left. Other pictures are decoded as with kExact.
enum class DecodeMode { kExact, kFast };
std::string_view Name(DecodeMode mode);

struct RecordOptions {
  std::uint32_t size = 128;
  Filter filter = Filter::kBilinear;
  Crop crop = Crop::kCenter;
  DecodeMode mode = DecodeMode::kExact;
  DecodeOptions decode;
};

struct Record {
  Rgb8 picture;         // uint8 [size, size, 3]
  std::string format;   // "JPEG"
  std::string library;  // "libjpeg-turbo 2.1.5"
};

// Throws Rejected; std::runtime_error when a worker process is repeatedly killed from outside. Safe to call from many
// threads.
Record MakeRecord(std::span<const std::byte> file, const RecordOptions& options);
// As MakeRecord(), but always in this process.
Record MakeRecordHere(std::span<const std::byte> file, const RecordOptions& options);

// Makes a record from pixels, uint8 [height, width, channels] with 1, 3 or 4 channels.
Record MakeRecordOfPixels(const Contents& pixels, const RecordOptions& options);

}  // namespace gan::preprocess
