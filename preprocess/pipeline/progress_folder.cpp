#include "preprocess/pipeline/progress_folder.h"

#include "preprocess/pipeline/same_inputs.h"
#include "shard/file_digest.h"
#include "shard/shard_format.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/parse_json.h"

namespace gan::preprocess {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxNoteBytes = std::uint64_t{1} << 30;
constexpr std::string_view kPlanName = "plan.json";
constexpr std::string_view kQuarantineBefore = "quarantine-before.jsonl";
constexpr std::string_view kManifestBefore = "manifest-before.json";

std::string Dump(const json& j) { return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

}  // namespace

// A note contains everything that the manifest needs from its shard, so that a continued run need not make the shard
// again.
json ToJson(const ShardResult& r) {
  json quarantine = json::array();
  for (const QuarantineEntry& q : r.quarantine) {
    quarantine.push_back({PathText(q.path), q.reason, PathText(q.detail), q.for_now});
  }
  return {{"number", r.entry.number},      {"records", r.entry.records},    {"bytes", r.entry.bytes},
          {"digest", r.entry.digest},      {"quarantine", quarantine},      {"sum", r.sums.plain},
          {"sum_squares", r.sums.squares}, {"bytes_read", r.bytes_read},    {"left_to_try", r.left_to_try},
          {"decoders", r.decoders},        {"label_counts", r.label_counts}};
}

ShardResult ShardResultFrom(const json& j) {
  ShardResult r;
  r.entry = {.number = j.at("number"), .records = j.at("records"), .bytes = j.at("bytes"), .digest = j.at("digest")};
  for (const json& q : j.at("quarantine")) r.quarantine.push_back({q.at(0), q.at(1), q.at(2), q.at(3)});
  r.sums.plain = j.at("sum").get<std::array<std::uint64_t, 3>>();
  r.sums.squares = j.at("sum_squares").get<std::array<std::uint64_t, 3>>();
  if (j.contains("label_counts")) r.label_counts = j.at("label_counts").get<std::map<std::uint32_t, std::uint64_t>>();
  r.bytes_read = j.at("bytes_read");
  r.decoders = j.at("decoders").get<std::map<std::string, std::string>>();
  r.left_to_try = j.at("left_to_try").get<std::vector<std::uint64_t>>();
  return r;
}

json PathText(const std::string& path) {
  return json::parse(json(path).dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string Differences(const json& one, const json& other) {
  std::string names;
  for (const auto& [name, value] : other.items()) {
    if (name == kInputsSample) continue;  // its text says nothing to a user
    if (one.is_object() && one.contains(name) && one.at(name) == value) continue;
    names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty() && other.contains(kInputsSample)) return "contents of inputs with the same names and sizes";
  return names.empty() ? "options" : names;
}

ProgressFolder::ProgressFolder(const fs::path& output) : output_(output), folder_(output / ".progress") {}

json ProgressFolder::Plan() const {
  const fs::path file = folder_ / kPlanName;
  if (!fs::exists(file)) return nullptr;
  const std::string text = storage::ReadFile(file, kMaxNoteBytes);
  if (!storage::IsModestJson(text)) {
    throw DataError(file, "is not the JSON of a plan; remove " + output_.string() + " and start again");
  }
  return json::parse(text);
}

void ProgressFolder::Begin(const json& plan, const std::string& quarantine_before, const std::string& manifest_before) {
  const json before = Plan();
  if (before.is_null()) {
    fs::remove_all(folder_);  // notes of a finished plan
    storage::MakeFolders(folder_);
    storage::WriteFileAtomically(folder_ / kQuarantineBefore, quarantine_before);
    storage::WriteFileAtomically(folder_ / kManifestBefore, manifest_before);
    // Last, because only the plan shows that the folder was begun: if the program is killed earlier, the next run
    // begins again.
    storage::WriteFileAtomically(folder_ / kPlanName, Dump(plan));
  } else if (SameInputs(before, plan)) {
    storage::RemoveTemporaries(folder_);
    // The plan has changed when a file of the sample could not be read before and can be read now.
    if (before != plan) storage::WriteFileAtomically(folder_ / kPlanName, Dump(plan));
  } else {
    throw UsageError(output_.string() + " was begun with other " + Differences(before, plan) +
                     "; use the same options to continue it, or another --out");
  }
}

std::string ProgressFolder::QuarantineBefore() const {
  return storage::ReadFile(folder_ / kQuarantineBefore, kMaxNoteBytes);
}

std::string ProgressFolder::ManifestBefore() const {
  return storage::ReadFile(folder_ / kManifestBefore, kMaxNoteBytes);
}

fs::path ProgressFolder::NoteName(std::uint32_t number) const {
  return folder_ / (shard::ShardFileName("", number).string() + ".json");
}

std::optional<ShardResult> ProgressFolder::Finished(std::uint32_t number) const {
  const fs::path note = NoteName(number);
  const fs::path file = shard::ShardFileName(output_, number);
  // The note is written after the shard, so a shard without a note was interrupted.
  if (!fs::exists(note) || !fs::exists(file)) return std::nullopt;
  try {
    ShardResult result = ShardResultFrom(storage::ParseJson(storage::ReadFile(note, kMaxNoteBytes), note));
    // The file is read whole, because after a crash of the machine a shard may lack bytes although its note is
    // complete.
    if (result.entry.number == number && shard::DigestOfFile(file).digest == result.entry.digest) return result;
  } catch (const json::exception&) {  // a damaged note: the shard is made again
  } catch (const DataError&) {        // a damaged note, or the shard has changed
  }
  return std::nullopt;
}

void ProgressFolder::Note(const ShardResult& result) {
  storage::WriteFileAtomically(NoteName(result.entry.number), Dump(ToJson(result)));
}

std::vector<QuarantineEntry> ProgressFolder::QuarantineOf(std::uint32_t number) const {
  const fs::path note = NoteName(number);
  try {
    return ShardResultFrom(storage::ParseJson(storage::ReadFile(note, kMaxNoteBytes), note)).quarantine;
  } catch (const json::exception& error) {
    throw DataError(note, error.what());
  }
}

std::vector<ShardResult> ProgressFolder::LeftToTry() const {
  std::vector<ShardResult> found;
  std::error_code none;  // no folder, or no permission to read it
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, none)) {
    if (!shard::ParseShardFileName(entry.path().stem().native())) continue;
    try {
      ShardResult result =
          ShardResultFrom(storage::ParseJson(storage::ReadFile(entry.path(), kMaxNoteBytes), entry.path()));
      if (!result.left_to_try.empty()) found.push_back(std::move(result));
    } catch (const json::exception&) {  // the shard's state is unknown, so it is kept
    } catch (const DataError&) {
    }
  }
  return found;
}

void ProgressFolder::Forget(std::uint32_t number) {
  if (fs::remove(NoteName(number))) storage::SyncFolder(folder_);
}

void ProgressFolder::Remove() {
  if (fs::remove(folder_ / kPlanName)) storage::SyncFolder(folder_);
  fs::remove_all(folder_);
}

}  // namespace gan::preprocess
