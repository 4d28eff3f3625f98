// Passes on what a job writes to stderr, and keeps its end.
#pragma once

#include <cstddef>
#include <string>
#include <thread>

namespace gan::launch {

// Not thread-safe. What cannot be passed on, because the reader of the log has ended, is kept nevertheless.
class OutputTee {
 public:
  OutputTee();  // throws IoError
  ~OutputTee();
  OutputTee(const OutputTee&) = delete;
  OutputTee& operator=(const OutputTee&) = delete;

  int descriptor() const { return write_end_; }  // for the job
  // Call it when the job has ended. Passes on the rest of what it wrote, and returns the end of all: of a long text the
  // last 256 to 520 kB. Does not wait for a process that the job left behind.
  std::string Finish();

 private:
  static constexpr std::size_t kMostKept = std::size_t{256} << 10;
  static constexpr std::size_t kPiece = 8192;

  void Read();
  // Reads at most `most` bytes and passes them on. Returns how many.
  std::size_t Take(std::size_t most);

  int read_end_ = -1, write_end_ = -1;
  int finish_ = -1;   // eventfd
  std::string kept_;  // of the thread until it has ended
  std::thread thread_;
};

}  // namespace gan::launch
