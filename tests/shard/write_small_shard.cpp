#include "tests/shard/small_shard.h"

// write_small_shard FOLDER: two shards and their manifest, for the test that numpy reads them.
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  gan::shard::WriteSmallFolder(argv[1], 2);
  return 0;
}
