// faults_subject FILE TEXT...: replaces FILE by each TEXT in turn, as every part of the project replaces files. Says
// "kept TEXT" after each, so that a test knows what was promised when.
#include <cstdio>
#include <exception>

#include "storage/errors.h"
#include "storage/files.h"

int main(int argc, char** argv) {
  try {
    for (int i = 2; i < argc; ++i) {
      gan::storage::WriteFileAtomically(argv[1], argv[i]);
      std::printf("kept %s\n", argv[i]);
      std::fflush(stdout);
    }
    return 0;
  } catch (const gan::IoError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
