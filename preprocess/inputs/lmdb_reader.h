// The messages between the two processes that read one LMDB file. Numbers are sent without conversion, because both are
// the same program.
#pragma once

#include <cstdint>

namespace gan::preprocess {

inline constexpr const char* kLmdbReaderArgument = "--read-lmdb-for-parent";

// The first message contains the path: `number` bytes of text follow.
struct LmdbRequest {
  enum class Kind : std::uint64_t { kOpen, kList, kRead };
  Kind kind = Kind::kOpen;
  std::uint64_t number = 0;  // kRead: position of the entry
};

// kOpen: kDone or kError. kList: one kEntry per entry, then kDone. kRead: kEntry or kError.
struct LmdbAnswer {
  enum class Kind : std::uint64_t { kDone, kEntry, kError };
  Kind kind = Kind::kDone;
  std::uint64_t key_bytes = 0;    // length of the text that follows: the key, or the error
  std::uint64_t value_bytes = 0;  // of an error: its errno, or 0
  std::uint64_t sent_bytes = 0;   // bytes of the value that follow the key: its beginning, or all of it
};

// Runs in the reading process: answers until the socket is closed.
void ServeLmdb(int socket);

}  // namespace gan::preprocess
