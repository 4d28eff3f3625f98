// The journal of everything that a program did to the files under the prefix, from which unsynced.py works out what a
// power cut at any moment could have left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gan::faults {

enum class Action : std::uint8_t {
  kCreate = 'c',    // path
  kWrite = 'w',     // path, number: offset, data
  kTruncate = 't',  // path, number: new size
  kSync = 's',      // path of a file or folder
  kRename = 'r',    // path, other
  kMakeFolder = 'm',
  kRemove = 'u',
};

// One write(2) to a file opened for appending, so that records of several processes do not mix. Nothing happens when no
// journal is kept or when the path lies elsewhere.
void Note(Action action, const std::string& path, std::uint64_t number = 0, const std::string& other = "",
          const void* data = nullptr, std::size_t size = 0);

}  // namespace gan::faults
