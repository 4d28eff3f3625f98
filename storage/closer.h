// A file descriptor that is closed at the end of a scope. Internal to this folder.
#pragma once

#include <unistd.h>

namespace gan::storage {

// Owns `descriptor`; a negative number means none. Errors of close are ignored, because it is used only for reading.
struct Closer {
  int descriptor;

  ~Closer() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

}  // namespace gan::storage
