// What the two processes say to each other about one LMDB file. Numbers go as they are: it is one program.
#pragma once

#include <cstdint>

namespace gan::preprocess {

inline constexpr const char* kLmdbReaderArgument = "--read-lmdb-for-parent";

// The first message holds the path: `number` bytes of text follow.
struct LmdbRequest {
  enum class Kind : std::uint64_t { kOpen, kList, kRead };
  Kind kind = Kind::kOpen;
  std::uint64_t number = 0;  // kRead: position of the entry
};

// kOpen: kDone or kError. kList: one kEntry per entry, then kDone. kRead: kEntry or kError.
struct LmdbAnswer {
  enum class Kind : std::uint64_t { kDone, kEntry, kError };
  Kind kind = Kind::kDone;
  std::uint64_t key_bytes = 0;  // of the text that follows: the key, or the error
  std::uint64_t value_bytes = 0;
  std::uint64_t sent_bytes = 0;  // of the value, that follow the key: its beginning, or all of it
};

// In the process that reads: answers until the socket is closed.
void ServeLmdb(int socket);

}  // namespace gan::preprocess
