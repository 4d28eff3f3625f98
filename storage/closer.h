// A file descriptor that is closed at the end of a scope. Internal to this folder.
#pragma once

#include <unistd.h>

namespace gan::storage {

// Owns `descriptor`; a negative one is none. A failing close is of no concern to its users, which write nothing through
// it.
struct Closer {
  int descriptor;

  ~Closer() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

}  // namespace gan::storage
