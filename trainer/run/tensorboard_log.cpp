#include "trainer/run/tensorboard_log.h"

#include <vector>

#include "cli/log.h"
#include "monitoring/page/quality_keys.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::run {

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder, std::uint64_t first_step) {
  OrLog([&] { file_ = std::make_unique<tensorboard::EventFile>(folder, first_step); });
}

// TensorBoard's tags are the names of the numbers in stats.jsonl. Measures of quality belong to the measured step.
void TensorBoardLog::Add(const StepRecord& record, const nlohmann::json& stats) {
  if (!file_) return;
  std::vector<tensorboard::Scalar> of_step, of_measured_step;
  for (const auto& [name, value] : stats.items()) {
    if (!value.is_number() || name == "step" || monitoring::SaysWhatWasMeasured(name)) continue;
    (name.starts_with(monitoring::kQuality) ? of_measured_step : of_step).push_back({name, value.get<double>()});
  }
  OrLog([&] {
    if (record.quality) file_->Add(record.quality->step, of_measured_step);
    file_->Add(record.step, of_step);
  });
}

void TensorBoardLog::AddPicture(const std::string& name, std::uint64_t step, const std::filesystem::path& png) {
  // A rollback trains steps again, whose grids must not appear twice.
  if (!file_ || !pictures_.emplace(name, step).second) return;
  OrLog([&] { file_->AddPicture(step, name, storage::ReadFile(png)); });
}

void TensorBoardLog::OrLog(const std::function<void()>& work) {
  try {
    work();
    failed_ = false;
  } catch (const IoError& error) {
    if (std::exchange(failed_, true)) return;
    cli::LogWarning(std::string(error.what()) + "; training continues without the TensorBoard event file");
  }
}

}  // namespace gan::run
