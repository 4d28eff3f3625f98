#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace gan::run {

// stats.jsonl: one JSON object a line. Rank 0 only. Sync may be called from another thread; the rest by one thread.
//
// A line that cannot be written (a full disk) does not end a run: it is told in the log, kept, and written with a later
// one. At most kMostKept bytes are kept. What is lost beyond that is marked in the next line that is written, which
// says under "lines_lost" how many lines are missing before it.
class StatsFile {
 public:
  static constexpr std::size_t kMostKept = std::size_t{4} << 20;

  // Opens the file, of any size, and finds where the lines of steps <= last_step end: a resumed run writes the later
  // ones again. `bytes` is how long the file was at that step, as far as a checkpoint knows; where that does not fit,
  // lines are looked at from the end backwards. Throws IoError. The file is not changed before Cut or Append.
  StatsFile(const std::filesystem::path& path, std::uint64_t last_step, std::optional<std::uint64_t> bytes);
  ~StatsFile();
  StatsFile(const StatsFile&) = delete;
  StatsFile& operator=(const StatsFile&) = delete;

  // Cuts off the later lines. Throws IoError.
  void Cut();
  void Append(nlohmann::json record);
  // The lines so far are on the disk: called before a checkpoint is committed that relies on them. Lines for which
  // there is no room yet are not waited for. Throws IoError when what was written may be lost.
  void Sync();
  // How long the file is with all lines so far, those that are still kept included.
  std::uint64_t bytes() const;

 private:
  // Writes what is kept, as far as the system lets it.
  void WriteKept();
  void TellRefusal(int error);
  void TellRoom();

  const std::filesystem::path path_;
  int descriptor_ = -1;

  mutable std::mutex mutex_;   // guards what follows
  std::uint64_t written_ = 0;  // bytes of whole lines in the file
  std::string kept_;           // lines that are not in the file yet
  std::uint64_t kept_lines_ = 0;
  std::uint64_t lost_lines_ = 0;  // since the last line that was kept or written
  bool torn_ = false;             // something that does not count stands after `written_`
  bool refused_ = false;          // and told
};

}  // namespace gan::run
