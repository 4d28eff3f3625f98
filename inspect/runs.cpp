#include "inspect/runs.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "inspect/checkpoints.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/parse_json.h"

namespace gan::inspect {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// Sorted by name, because a folder has no order of its own. A running job removes and renames its temporary files
// meanwhile, and a link may lead nowhere, so entries without a size are left out.
Json FilesOf(const fs::path& folder) {
  std::vector<Json> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code error;
    const bool is_file = entry.is_regular_file(error);
    const std::uintmax_t bytes = is_file ? entry.file_size(error) : 0;
    if (!is_file || error) continue;
    files.push_back({{"name", entry.path().filename().string()}, {"bytes", bytes}});
  }
  std::sort(files.begin(), files.end(), [](const Json& a, const Json& b) { return a.at("name") < b.at("name"); });
  return files;
}

// The last complete line, because a running job may be writing the next one. The file is mapped, so that only its last
// pages are read, however long it is.
Json LastLine(const fs::path& file) {
  const storage::MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t end = text.rfind('\n');
  if (end == std::string_view::npos) return nullptr;
  const std::size_t before = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::string line(text.substr(begin, end - begin));
  mapped.RequireRead();
  return storage::ParseJson<Json>(line, file, begin);
}

}  // namespace

// Each part is checked even if another one is damaged.
Report InspectRun(const fs::path& folder) {
  Report report;
  report.facts = {{"kind", "run"}, {"path", folder.string()}, {"files", FilesOf(folder)}};
  report.Check([&] {
    const fs::path options = folder / "options.json";
    if (!fs::exists(options)) throw DataError(options, "is missing");
    report.facts["options"] = storage::ParseJson<Json>(storage::ReadFile(options), options);
  });
  // A run without any finished step has no stats.jsonl, which is not damage.
  report.Check([&] {
    const fs::path stats = folder / "stats.jsonl";
    if (fs::exists(stats)) report.facts["last_stats"] = LastLine(stats);
  });
  const fs::path checkpoints = folder / "checkpoints";
  if (fs::exists(checkpoints)) {
    const Report part = InspectCheckpoints(checkpoints);
    for (const char* key : {"checkpoints", "set_aside"}) {
      if (part.facts.contains(key)) report.facts[key] = part.facts.at(key);
    }
    report.Add(part);
  }
  return report;
}

}  // namespace gan::inspect
