// What a gzip file unpacks to, inflated in a thread of its own ahead of whoever reads it.
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

// One thread at a time may call it.
class GzipStream {
 public:
  // What was unpacked next. Without bytes it is the last one: the end or, where `error` is not empty, a failure.
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

  // Waits for the next block, which is valid until the next call. After the last one it comes again.
  const Block& Next();

 private:
  void Run();
  Block Unpack();
  bool HasInput(Block& block);
  void UnpackSome(bool has_input, std::span<std::byte>& out, Block& block);
  bool Put(Block block);

  // The thread's.
  const std::unique_ptr<Inflater> inflater_;
  const int descriptor_;
  std::vector<std::byte> packed_;
  std::span<const std::byte> in_;  // what of packed_ is not unpacked yet
  bool begun_ = false;             // a member of the file

  Block current_;  // the caller's

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> ready_;       // guarded by mutex_
  std::vector<std::byte> spare_;  // a block's room that was read; guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::thread thread_;            // last: it uses all others
};

}  // namespace gan::preprocess
