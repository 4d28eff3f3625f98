#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::run {

// One rollback of the run to an older checkpoint.
struct Rollback {
  std::uint64_t from = 0, to = 0;  // steps
  std::string cause;
  bool done = false;  // false: the process ended during it, and later checkpoints may still need to be renamed
};

// The content of the run's rollbacks.json: the rollbacks, which a checkpoint cannot contain because a rollback restores
// an older state. The same on every rank; written by rank 0.
class Rollbacks {
 public:
  static constexpr std::size_t kMost =
      3;  // at most this many within kRemembered trained steps; after that the run ends as diverged
  static constexpr std::uint64_t kRemembered = 20000;

  // Parses `text`, the content of a file; an empty text means no rollbacks. Throws DataError naming `file`.
  static Rollbacks Parse(const std::string& text, const std::filesystem::path& file);
  std::string Text() const;

  void Begin(Rollback rollback) { all_.push_back(std::move(rollback)); }
  void Finish() { all_.back().done = true; }

  const std::vector<Rollback>& all() const { return all_; }
  // Whether the limit of rollbacks is reached. `step`: the current step of the run.
  bool Exhausted(std::uint64_t step) const;
  // The number of rollbacks that surely came before the checkpoint of `step` was saved.
  std::size_t CountBefore(std::uint64_t step) const;
  // The rollbacks from a mode collapse among those after the first `known` ones: for each of them, how many of its kind
  // came before it.
  std::vector<std::uint32_t> CollapsesAfter(std::size_t known) const;
  // The seed after all rollbacks so far. Each rollback changes the noise, because the same noise would lead to the same
  // result.
  std::uint64_t Seed(std::uint64_t seed) const { return seed + all_.size() * 0x9E3779B97F4A7C15ULL; }
  // The number of steps that were trained and then discarded by rollbacks.
  std::uint64_t ForgottenSteps() const;
  // The number of steps that had been trained in total, including discarded ones, at the last rollback; 0 when there
  // was none.
  std::uint64_t TrainedAtLast() const;

 private:
  std::vector<Rollback> all_;
};

}  // namespace gan::run
