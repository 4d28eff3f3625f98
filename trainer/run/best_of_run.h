#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::run {

// The best quality measurement of a run by one measure, and whether the run has waited for a better one for long
// enough. A pure function of the measurements, so every rank that takes the same ones decides the same. Not
// thread-safe.
class BestOfRun {
 public:
  // With an automatic patience, a run waits for as many images as it took to reach the best, but at least for these.
  static constexpr std::uint64_t kLeastPatience = 50'000;

  struct Best {
    std::uint64_t step = 0, images = 0;  // of the measured state
    double value = 0;
  };

  // `measure`: one that quality::IsMeasure accepts; any other name has no best. `patience`: in images; 0: automatic.
  BestOfRun(std::string measure, std::uint64_t patience) : measure_(std::move(measure)), patience_(patience) {}

  // `values`: the measures of the state after `step` steps and `images` images. Returns whether it is the best so far.
  // A value that is not finite never is.
  bool Take(const std::vector<std::pair<std::string, double>>& values, std::uint64_t step, std::uint64_t images);

  const std::optional<Best>& best() const { return best_; }
  // Whether the newest measurement came at least Patience() images after the best one.
  bool HasWaitedEnough() const;
  std::uint64_t Patience() const;
  // "swd has not improved on 0.0312 of step 1200 for 50000 images".
  std::string Describe() const;

  nlohmann::json Save() const;
  // The best of another measure cannot be compared and is forgotten. `images`: of the restored step. If the state is
  // older than --stop-when, the patience counts from there.
  void Restore(const nlohmann::json& state, std::uint64_t images);

 private:
  std::string measure_;
  std::uint64_t patience_;
  std::optional<Best> best_;
  std::uint64_t newest_images_ = 0;  // of the newest measurement
};

}  // namespace gan::run
