#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "trainer/run/step_record.h"
#include "trainer/tensorboard/event_file.h"

namespace gan::run {

// The TensorBoard event file of a run. A full disk does not end a run, and neither does a file that cannot be created:
// the first failure in a row is logged, and no function throws IoError. Not thread-safe.
class TensorBoardLog {
 public:
  // `first_step`: the first one that this process will train.
  TensorBoardLog(const std::filesystem::path& folder, std::uint64_t first_step);

  // `stats`: the step's line of stats.jsonl.
  void Add(const StepRecord& record, const nlohmann::json& stats);
  void AddPicture(const std::string& name, std::uint64_t step, const std::filesystem::path& png);

 private:
  void OrLog(const std::function<void()>& work);

  std::unique_ptr<tensorboard::EventFile> file_;  // null if it could not be created
  bool failed_ = false;
  std::set<std::pair<std::string, std::uint64_t>> pictures_;  // images that were added already
};

}  // namespace gan::run
