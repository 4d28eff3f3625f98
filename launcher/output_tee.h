// Passes on the stderr of a job, and keeps its end.
#pragma once

#include <cstddef>
#include <string>
#include <thread>

namespace gan::launch {

// Not thread-safe. If the reader of the log has ended, the text cannot be passed on but is still kept.
class OutputTee {
 public:
  OutputTee();  // throws IoError
  ~OutputTee();
  OutputTee(const OutputTee&) = delete;
  OutputTee& operator=(const OutputTee&) = delete;

  int descriptor() const { return write_end_; }  // for the job's stderr
  // Call it when the job has ended. Passes on the rest of its output, and returns the end of the whole: of a long text
  // the last 256 to 520 kB. Does not wait for a process that outlives the job.
  std::string Finish();

 private:
  static constexpr std::size_t kMostKept = std::size_t{256} << 10;
  static constexpr std::size_t kPiece = 8192;

  void Read();
  // Reads at most `most` bytes, passes them on, and returns their number.
  std::size_t Take(std::size_t most);

  int read_end_ = -1, write_end_ = -1;
  int finish_ = -1;   // eventfd
  std::string kept_;  // used by the thread until it has ended
  std::thread thread_;
};

}  // namespace gan::launch
