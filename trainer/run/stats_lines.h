#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gan::run {

// Finds lines in a stats.jsonl of any size with little memory: near a known position, or from the end backwards. Throws
// IoError.
class StatsLines {
 public:
  // `descriptor`: open for reading, and must outlive this object. `path`: for errors. `step_name`: the member that is
  // the step of a line.
  StatsLines(std::filesystem::path path, int descriptor, std::string step_name);

  std::uint64_t size() const { return size_; }
  // Whether the lines of steps <= last_step end at byte `at`, judged by the line before it and the line after it.
  bool EndsAt(std::uint64_t at, std::uint64_t last_step);
  // The end of the last complete line with a step <= last_step; 0 when there is none.
  std::uint64_t EndOf(std::uint64_t last_step);

 private:
  // The start of the line that ends before byte `end`.
  std::uint64_t BeginOf(std::uint64_t end);
  // The step of the line in [begin, end). Empty when the line is not a JSON object with a step.
  std::optional<std::uint64_t> StepOf(std::uint64_t begin, std::uint64_t end);
  char At(std::uint64_t offset);
  void Read(std::uint64_t offset, std::string& into) const;

  std::filesystem::path path_;
  int descriptor_;
  std::string step_name_;
  std::uint64_t size_ = 0;
  std::uint64_t block_at_ = 0;
  std::string block_;
};

}  // namespace gan::run
