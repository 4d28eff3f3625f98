// Shared by the fuzz targets. Bytes from outside are either understood or end in DataError. Anything else (another
// exception, a read out of bounds, an overflow) is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/errors.h"

namespace gan::fuzz {

template <typename Read>
void ReadOrRefuse(const Read& read) {
  try {
    read();
  } catch (const DataError&) {
    return;
  }
}

inline std::string Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace gan::fuzz
