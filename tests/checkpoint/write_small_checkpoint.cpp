#include "tests/checkpoint/small_checkpoint.h"

// write_small_checkpoint ROOT STEP...: writes a small checkpoint for tests that read it with other programs or damage
// it.
int main(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) gan::checkpoint::WriteSmallCheckpoint(argv[1], std::stoull(argv[i]));
  return 0;
}
