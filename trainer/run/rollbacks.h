#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::run {

// One return to an older checkpoint of the run.
struct Rollback {
  std::uint64_t from = 0, to = 0;  // steps
  std::string cause;
  bool done = false;  // false: killed in the middle of it; later checkpoints may still have to be set aside
};

// The run's rollbacks.json: what no checkpoint can know, because going back forgets it. The same on every rank; written
// by rank 0.
class Rollbacks {
 public:
  static constexpr std::size_t kMost = 3;  // within so many trained steps; then the run ends as diverged
  static constexpr std::uint64_t kRemembered = 20000;

  // What `text`, a file's content, holds; empty: none. Throws DataError naming `file`.
  static Rollbacks Parse(const std::string& text, const std::filesystem::path& file);
  std::string Text() const;

  void Begin(Rollback rollback) { all_.push_back(std::move(rollback)); }
  void Finish() { all_.back().done = true; }

  const std::vector<Rollback>& all() const { return all_; }
  // `step`: where the run is now.
  bool Exhausted(std::uint64_t step) const;
  // Whether the newest one was for a collapse and went back to this step.
  bool LastIsCollapseTo(std::uint64_t step) const;
  // How many before the newest were for a collapse.
  std::uint32_t CollapsesBefore() const;
  // Other noise after each: the same would lead to the same end.
  std::uint64_t Seed(std::uint64_t seed) const { return seed + all_.size() * 0x9E3779B97F4A7C15ULL; }
  // Steps that were trained and forgotten.
  std::uint64_t ForgottenSteps() const;
  // How many steps had been trained in all, forgotten ones included, when the run last went back; 0: never.
  std::uint64_t TrainedAtLast() const;

 private:
  std::vector<Rollback> all_;
};

}  // namespace gan::run
