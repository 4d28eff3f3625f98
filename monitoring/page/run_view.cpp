#include "monitoring/page/run_view.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "storage/files.h"

namespace gan::monitoring {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t kLargestPicture = std::uint64_t{64} << 20;
constexpr std::uint64_t kLargestJson = std::uint64_t{4} << 20;
constexpr std::string_view kReals = "reals.png";

// Symbolic links are not followed, because the page must show files of the run folder only.
bool IsPlainFile(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() == fs::file_type::regular;
}

std::optional<std::string> ReadPlainFile(const fs::path& path, std::uint64_t most_bytes) {
  if (!IsPlainFile(path)) return std::nullopt;
  try {
    return storage::ReadFile(path, most_bytes);
  } catch (const std::exception&) {
    return std::nullopt;  // removed meanwhile, or not readable
  }
}

// Null when the file is missing or not JSON.
Json ReadJson(const fs::path& path) {
  const auto text = ReadPlainFile(path, kLargestJson);
  const Json value = text ? Json::parse(*text, nullptr, /*allow_exceptions=*/false) : Json();
  return value.is_discarded() ? Json() : value;
}

// The step in "fakes-00000042.png". Accepts only names that FakesName() can produce, because `name` may come from a
// client.
std::optional<std::uint64_t> ParseFakesName(std::string_view name) {
  constexpr std::string_view kPrefix = "fakes-", kSuffix = ".png";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  // At least eight digits, and few enough for 64 bits.
  if (name.size() < 8 || name.size() > 18) return std::nullopt;
  if (name.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return std::stoull(std::string(name));
}

double UnixSeconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

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
  const Json manifest = ReadJson(folder / "manifest.json");
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

// "runs/1/" and "." need their absolute path to have a name.
std::string NameOf(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

}  // namespace

RunView::RunView(const fs::path& folder, bool live)
    : folder_(folder), name_(NameOf(folder)), live_(live), stats_(folder / "stats.jsonl") {}

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
                                {"now", UnixSeconds(std::chrono::system_clock::now())},
                                {"status", ReadJson(folder_ / "status.json")},
                                {"options", ReadJson(folder_ / "options.json")},
                                {"reals", HasReals()},
                                {"fakes", Fakes()},
                                {"checkpoints", Checkpoints(folder_ / "checkpoints")}};
  std::string text = facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  // Replaces the closing brace, so that the statistics become a further member of the object.
  text.back() = ',';
  return text + "\"stats\":" + stats_.JsonText() + "}";
}

std::optional<std::string> RunView::Picture(std::string_view name) const {
  if (name == kReals) return ReadPlainFile(folder_ / kReals, kLargestPicture);
  const auto step = ParseFakesName(name);
  return step ? ReadPlainFile(folder_ / FakesName(*step), kLargestPicture) : std::nullopt;
}

bool RunView::HasReals() const { return IsPlainFile(folder_ / kReals); }

std::vector<std::uint64_t> RunView::Fakes() const {
  std::vector<std::uint64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto step = ParseFakesName(entry.path().filename().string());
    if (step && IsPlainFile(entry.path())) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::string RunView::FakesName(std::uint64_t step) {
  char name[40];
  std::snprintf(name, sizeof name, "fakes-%08llu.png", static_cast<unsigned long long>(step));
  return name;
}

}  // namespace gan::monitoring
