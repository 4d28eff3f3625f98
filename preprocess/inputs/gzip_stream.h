// Inflates a gzip file in its own thread, ahead of the reader.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "preprocess/inputs/gzip_plugin.h"

namespace gan::preprocess {

bool IsGzip(std::string_view head);

// For one thread at a time.
class GzipStream {
 public:
  // The next unpacked data. A block without bytes is the last one: the end or, when `error` is not empty, a failure.
  struct Block {
    std::vector<std::byte> bytes;
    std::string error;
    int error_number = 0;  // of the operating system; 0: the file is damaged
  };

  // Throws IoError, and std::runtime_error when the plugin is missing.
  explicit GzipStream(const std::filesystem::path& file);
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  // Waits for the next block, which is valid until the next call. The last block is returned again by every later call.
  const Block& Next();

 private:
  void Run();
  Block Unpack();
  bool HasInput(Block& block);
  void UnpackSome(bool has_input, std::span<std::byte>& out, Block& block);
  bool Put(Block block);

  // Used only by the thread.
  const std::unique_ptr<Inflater> inflater_;
  const int descriptor_;
  std::vector<std::byte> packed_;
  std::span<const std::byte> in_;  // the part of packed_ that is not unpacked yet
  bool begun_ = false;             // a member of the file has begun

  Block current_;  // used only by the caller

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> ready_;       // guarded by mutex_
  std::vector<std::byte> spare_;  // memory of a block that was read; guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::thread thread_;            // last: it uses all members above
};

}  // namespace gan::preprocess
