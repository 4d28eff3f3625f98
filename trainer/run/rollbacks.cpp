#include "trainer/run/rollbacks.h"

#include <algorithm>

#include "storage/errors.h"
#include "storage/sealed_json.h"

namespace gan::run {

namespace {

// The cause is a text for the log, which begins with this word for a collapse.
bool IsCollapse(const Rollback& one) { return one.cause.starts_with("mode collapse"); }

}  // namespace

Rollbacks Rollbacks::Parse(const std::string& text, const std::filesystem::path& file) {
  Rollbacks rollbacks;
  if (text.empty()) return rollbacks;
  const nlohmann::json object = storage::ParseJsonObject(text, file);
  try {
    for (const auto& item : object.at("rollbacks")) {
      rollbacks.all_.push_back({item.at("from_step").get<std::uint64_t>(), item.at("to_step").get<std::uint64_t>(),
                                item.at("cause").get<std::string>(), item.at("done").get<bool>()});
    }
  } catch (const nlohmann::json::exception& error) {
    throw DataError(file, error.what());
  }
  return rollbacks;
}

// The names are part of the file format.
std::string Rollbacks::Text() const {
  nlohmann::json list = nlohmann::json::array();
  for (const Rollback& one : all_) {
    list.push_back({{"from_step", one.from}, {"to_step", one.to}, {"cause", one.cause}, {"done", one.done}});
  }
  return nlohmann::json({{"rollbacks", list}}).dump(2) + "\n";
}

std::uint64_t Rollbacks::TrainedAtLast() const { return all_.empty() ? 0 : ForgottenSteps() + all_.back().to; }

// During weeks of training several accidents may happen, but several rollbacks in a short time show that they do not
// help.
bool Rollbacks::Exhausted(std::uint64_t step) const {
  const std::uint64_t trained = step + ForgottenSteps();
  std::uint64_t forgotten = 0;
  std::size_t recent = 0;
  for (const Rollback& one : all_) {
    // In trained steps, because the step number itself goes back with each rollback.
    if (one.from + forgotten + kRemembered > trained) ++recent;
    forgotten += one.from - one.to;
  }
  return recent >= kMost;
}

// A rollback sets the checkpoints of later steps aside, so a checkpoint that now exists for such a step was saved after
// the rollback.
std::size_t Rollbacks::CountBefore(std::uint64_t step) const {
  const auto last = std::find_if(all_.rbegin(), all_.rend(), [&](const Rollback& one) { return one.to < step; });
  return static_cast<std::size_t>(all_.rend() - last);
}

std::vector<std::uint32_t> Rollbacks::CollapsesAfter(std::size_t known) const {
  std::vector<std::uint32_t> collapses;
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (!IsCollapse(all_[i])) continue;
    if (i >= known) collapses.push_back(before);
    ++before;
  }
  return collapses;
}

// Each rollback discards the steps between its two ends.
std::uint64_t Rollbacks::ForgottenSteps() const {
  std::uint64_t steps = 0;
  for (const Rollback& one : all_) steps += one.from - one.to;
  return steps;
}

}  // namespace gan::run
