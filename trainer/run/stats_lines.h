#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gan::run {

// Looks at the lines of a stats.jsonl of any size with little memory: near a place that is known, or from the end
// backwards. Throws IoError.
class StatsLines {
 public:
  // `descriptor` is open for reading and outlives this object; `path` is what errors name.
  StatsLines(std::filesystem::path path, int descriptor);

  std::uint64_t size() const { return size_; }
  // Whether the lines of steps <= last_step end at byte `at`: those just before it and just after it say so.
  bool EndsAt(std::uint64_t at, std::uint64_t last_step);
  // Where the last whole line of a step <= last_step ends; 0 when there is none.
  std::uint64_t EndOf(std::uint64_t last_step);

 private:
  // Where the line that ends before byte `end` begins.
  std::uint64_t BeginOf(std::uint64_t end);
  // The step of the line in [begin, end); nothing when that is no line of ours.
  std::optional<std::uint64_t> StepOf(std::uint64_t begin, std::uint64_t end);
  char At(std::uint64_t offset);
  void Read(std::uint64_t offset, std::string& into) const;

  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
  std::uint64_t block_at_ = 0;
  std::string block_;
};

}  // namespace gan::run
