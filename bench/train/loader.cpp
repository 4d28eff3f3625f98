// Compares shuffled batches from warm shards with memcpy into as much memory, both of the same records in their order
// and of plain memory, in turns. Also prints how much of the shards stays mapped.
// Usage: loader_speed SHARDS [BATCH [TURNS]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/loader.h"

namespace {

using Clock = std::chrono::steady_clock;
using gan::data::Loader;

template <typename Work>
double Seconds(const Work& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// In MB, of this process: "RssAnon:" or "RssFile:".
double Resident(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what)) return std::stod(line.substr(what.size())) / 1024;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: loader_speed SHARDS [BATCH [TURNS]]\n");
    return 2;
  }
  const std::uint64_t batch = argc > 2 ? std::stoull(argv[2]) : 16;
  const int turns = argc > 3 ? std::stoi(argv[3]) : 7;
  const auto dataset = std::make_shared<gan::data::Dataset>(argv[1]);
  const std::uint64_t batches = dataset->size() / batch;
  Loader loader(dataset, {.count = batch, .stride = batch});
  const auto epoch = [&] {
    for (std::uint64_t i = 0; i < batches; ++i) loader.Next();
  };
  epoch();  // checksums are verified once, and the shards are warm
  const std::size_t bytes = loader.Next().pixels.size();
  const std::size_t record_bytes = bytes / batch;
  const std::vector<std::uint8_t> memory(bytes * batches, 1);
  std::vector<std::uint8_t> targets[3];  // as many as the loader fills in turn
  for (auto& target : targets) target.resize(bytes);
  const auto copy_all = [&](const auto& source_of) {
    for (std::uint64_t i = 0; i < batches * batch; ++i) {
      std::memcpy(targets[i / batch % 3].data() + i % batch * record_bytes, source_of(i), record_bytes);
    }
  };
  double ours = 0, from_shards = 0, from_memory = 0;
  for (int turn = 0; turn < turns; ++turn) {
    ours += Seconds(epoch);
    from_shards += Seconds([&] { copy_all([&](std::uint64_t i) { return dataset->Record(i).data(); }); });
    from_memory += Seconds([&] { copy_all([&](std::uint64_t i) { return memory.data() + i * record_bytes; }); });
  }
  const double gigabytes = 1e-9 * static_cast<double>(bytes * batches) * turns;
  std::printf(
      "batches of %lu: loader %.2f GB/s; memcpy from the shards in order %.2f (%.2f of it), from memory %.2f (%.2f)\n",
      batch, gigabytes / ours, gigabytes / from_shards, from_shards / ours, gigabytes / from_memory,
      from_memory / ours);
  std::printf("records %.0f MB; resident of files %.0f MB\n", 1e-6 * static_cast<double>(dataset->bytes()),
              Resident("RssFile:"));
  return 0;
}
