#include "inspect/checkpoints.h"

#include <algorithm>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "checkpoint/safetensors.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::inspect {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

Json FactsOf(const checkpoint::Manifest& m) {
  std::uint64_t bytes = 0;
  for (const checkpoint::Part& part : m.parts) bytes += part.bytes;
  return {{"step", m.step},          {"images", m.images}, {"lineage", m.lineage},
          {"parts", m.parts.size()}, {"bytes", bytes},     {"state", m.state}};
}

// Decoding checks the structure of the file; the count is only a fact for the report.
std::size_t CountTensors(const fs::path& file) {
  const storage::MappedFile mapped(file);
  const std::size_t count = checkpoint::DecodeSafetensors(mapped.bytes(), file).size();
  // Pages that the disk could not read are zeros, which could pass for a valid file.
  mapped.RequireRead();
  return count;
}

// All folders named step-…, committed or not, newest first. A folder without a manifest must be reported as damage,
// which ListCheckpoints would skip.
std::vector<fs::path> StepFolders(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    // A file is not a checkpoint, whatever its name.
    const bool is_file = entry.symlink_status().type() == fs::file_type::regular;
    if (!is_file && checkpoint::ParseCheckpointFolderName(entry.path().filename().string())) {
      folders.push_back(entry.path());
    }
  }
  // Steps have leading zeros in the names, so the order of the names is that of the steps.
  std::sort(folders.rbegin(), folders.rend());
  return folders;
}

// The folders that the trainer renamed: damaged, abandoned by a rollback, or left by a killed save.
Json SetAside(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && !checkpoint::ParseCheckpointFolderName(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Report InspectTensorFile(const fs::path& file) {
  Report report;
  report.facts = {{"kind", "safetensors file"}, {"path", file.string()}, {"bytes", fs::file_size(file)}};
  report.Check([&] { report.facts["tensors"] = CountTensors(file); });
  return report;
}

// The facts are read first, so that the report of a damaged checkpoint still shows its step.
Report InspectCheckpoint(const fs::path& folder) {
  Report report;
  report.facts = {{"kind", "checkpoint"}, {"path", folder.string()}};
  report.Check([&] {
    const checkpoint::Manifest manifest = checkpoint::ReadManifest(folder);
    report.facts.update(FactsOf(manifest));
    checkpoint::Verify(folder);
    std::size_t tensors = 0;
    for (const checkpoint::Part& part : manifest.parts) tensors += CountTensors(folder / part.name);
    report.facts["tensors"] = tensors;
  });
  return report;
}

Report InspectCheckpoints(const fs::path& root) {
  Report report;
  report.facts = {{"kind", "checkpoints"}, {"path", root.string()}};
  Json list = Json::array();
  for (const fs::path& folder : StepFolders(root)) {
    Report one;
    try {
      one = InspectCheckpoint(folder);
    } catch (const IoError&) {
      if (fs::exists(folder)) throw;
    }
    if (!fs::exists(folder)) continue;  // removed by the pruning of a running job, perhaps meanwhile
    list.push_back({{"name", folder.filename().string()}, {"intact", one.intact()}});
    report.Add(one);
  }
  report.facts["checkpoints"] = list;
  const Json aside = SetAside(root);
  if (!aside.empty()) report.facts["set_aside"] = aside;
  return report;
}

}  // namespace gan::inspect
