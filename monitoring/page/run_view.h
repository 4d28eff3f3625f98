// The data of a run folder that the page shows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "monitoring/page/run_stats.h"

namespace gan::monitoring {

// Reads a run folder for the page, during or after training, and writes nothing. Missing or damaged files are shown as
// absent. Follows no symbolic links. Thread-safe.
class RunView {
 public:
  // `live`: the training process itself serves the page, so the run is known to be alive.
  RunView(const std::filesystem::path& folder, bool live);

  // {"run":name,"live":…,"now":unix seconds,"status":status.json,"options":options.json,"stats":RunStats,
  //  "reals":bool,"fakes":[step,…],"nearest":[step,…],"checkpoints":[{"step":…,"bytes":…,"unix_seconds":…},…]}
  std::string JsonText();
  // As JsonText(), but reads all of stats.jsonl first, however large it is.
  std::string CompleteJsonText();

  // The PNG file of a grid, or nothing. `name` may come from a client: only "reals.png" and names like
  // "fakes-00000042.png" and "nearest-00000042.png" are opened.
  std::optional<std::string> Picture(std::string_view name) const;
  bool HasReals() const;

 private:
  std::string JsonTextLocked() const;

  std::filesystem::path folder_;
  std::string name_;
  bool live_;
  std::mutex mutex_;
  RunStats stats_;  // guarded by mutex_
};

}  // namespace gan::monitoring
