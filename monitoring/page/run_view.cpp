#include "monitoring/page/run_view.h"

#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "monitoring/page/run_files.h"
#include "storage/folder_name.h"

namespace gan::monitoring {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kLargestPicture = std::uint64_t{64} << 20;

// Tolerates manifests of any content: the page must not fail because of one damaged checkpoint.
std::uint64_t PartBytes(const Json& manifest) {
  std::uint64_t bytes = 0;
  for (const Json& part : manifest.value("parts", Json::array())) {
    if (part.is_object() && part.contains("bytes") && part["bytes"].is_number_unsigned()) {
      bytes += part["bytes"].get<std::uint64_t>();
    }
  }
  return bytes;
}

Json CheckpointFact(const fs::path& folder) {
  const Json manifest = ReadRunJson(folder / "manifest.json");
  std::error_code error;
  const auto written = fs::last_write_time(folder / "manifest.json", error);
  const auto step = checkpoint::ParseCheckpointFolderName(folder.filename().string());
  if (!manifest.is_object() || error || !step) return nullptr;
  return {{"step", *step},
          {"bytes", PartBytes(manifest)},
          {"unix_seconds", UnixSeconds(std::chrono::file_clock::to_sys(written))}};
}

Json Checkpoints(const fs::path& root) {
  Json facts = Json::array();
  if (!fs::is_directory(root)) return facts;
  for (const fs::path& folder : checkpoint::ListCheckpoints(root)) {
    if (Json fact = CheckpointFact(folder); !fact.is_null()) facts.push_back(std::move(fact));
  }
  return facts;
}

}  // namespace

RunView::RunView(const fs::path& folder, bool live)
    : folder_(folder), name_(storage::NameOfFolder(folder)), live_(live), stats_(folder / "stats.jsonl") {}

std::string RunView::JsonText() {
  const std::lock_guard lock(mutex_);
  stats_.Update();
  return JsonTextLocked();
}

// Update() reads a limited amount per call.
std::string RunView::CompleteJsonText() {
  const std::lock_guard lock(mutex_);
  while (!stats_.Update()) {
  }
  return JsonTextLocked();
}

std::string RunView::JsonTextLocked() const {
  const nlohmann::json facts = {{"run", name_},
                                {"live", live_},
                                {"now", UnixSecondsNow()},
                                {"status", ReadRunJson(folder_ / "status.json")},
                                {"options", ReadRunJson(folder_ / "options.json")},
                                {"reals", HasReals()},
                                {"fakes", StepsOfGrids(folder_)},
                                {"nearest", StepsOfGrids(folder_, kNearest)},
                                {"checkpoints", Checkpoints(folder_ / "checkpoints")}};
  std::string text = facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  // Replaces the closing brace, so that the statistics become a further member of the object.
  // The statistics are a megabyte of text, which parsing and printing once more would only cost time.
  text.back() = ',';
  return text + "\"stats\":" + stats_.JsonText() + "}";
}

std::optional<std::string> RunView::Picture(std::string_view name) const {
  if (name == kRealsName) return ReadPlainFile(folder_ / kRealsName, kLargestPicture);
  for (const std::string_view kind : {kFakes, kNearest}) {
    // The name is formatted from the number, so no text of a client reaches the file system.
    if (const auto step = ParseGridName(name, kind)) {
      return ReadPlainFile(folder_ / GridName(*step, kind), kLargestPicture);
    }
  }
  return std::nullopt;
}

bool RunView::HasReals() const { return IsPlainFile(folder_ / kRealsName); }

}  // namespace gan::monitoring
