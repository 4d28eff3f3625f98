#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace gan::run {

// stats.jsonl or quality.jsonl: one JSON object per line. Rank 0 only. Sync may be called from another thread; all
// other functions by one thread.
//
// A line that cannot be written, for example on a full disk, does not end the run: the error is logged, the line is
// kept in memory, and it is written together with a later one. At most kMostKept bytes are kept. When lines beyond that
// are lost, the next written line has a member "lines_lost" with the number of lines that are missing before it.
class StatsFile {
 public:
  static constexpr std::size_t kMostKept = std::size_t{4} << 20;

  // Opens the file, which may be of any size, and finds the end of the lines of steps <= last_step, because a resumed
  // run writes the later ones again. `step_name`: the member that is the step of a line. `bytes`: the length of the
  // file at that step according to a checkpoint. When it does not match, lines are searched from the end backwards.
  // Throws IoError. The file does not change before Cut or Append.
  StatsFile(const std::filesystem::path& path, std::uint64_t last_step, std::optional<std::uint64_t> bytes,
            std::string step_name = "step");
  ~StatsFile();
  StatsFile(const StatsFile&) = delete;
  StatsFile& operator=(const StatsFile&) = delete;

  // Removes the later lines. Throws IoError.
  void Cut();
  void Append(nlohmann::json record);
  // Makes the lines so far durable. Called before the commit of a checkpoint that relies on them. Does not wait for
  // lines that do not fit on the disk. Throws IoError when written data may be lost.
  void Sync();
  // The length of the file with all lines so far, including those kept in memory.
  std::uint64_t bytes() const;

 private:
  // Writes the kept lines as far as the system accepts them.
  void WriteKept();
  void LogFailure(int error);
  void LogRecovery();

  const std::filesystem::path path_;
  int descriptor_ = -1;

  mutable std::mutex mutex_;   // guards all members below
  std::uint64_t written_ = 0;  // bytes of whole lines in the file
  std::string kept_;           // lines that are not in the file yet
  std::uint64_t kept_lines_ = 0;
  std::uint64_t lost_lines_ = 0;  // since the last line that was kept or written
  bool torn_ = false;             // the file has an incomplete line after `written_`
  bool refused_ = false;          // the last write failed, and this was logged
};

}  // namespace gan::run
