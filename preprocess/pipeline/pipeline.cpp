#include "preprocess/pipeline/pipeline.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <optional>
#include <unordered_map>
#include <utility>

#include "preprocess/inputs/content.h"
#include "preprocess/inputs/sources.h"
#include "preprocess/pipeline/duplicates.h"
#include "preprocess/pipeline/label_summary.h"
#include "preprocess/pipeline/plan.h"
#include "preprocess/pipeline/progress_folder.h"
#include "preprocess/pipeline/publish.h"
#include "preprocess/pipeline/same_inputs.h"
#include "preprocess/pipeline/shard_maker.h"
#include "shard/shard_format.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::preprocess {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// Only rank 0 has a standard input. It sends the blocks to the others, so that all ranks list the same inputs.
std::string ReadStandardInput(const Ranks& ranks) {
  return ranks.Broadcast(ranks.rank() == 0 ? NextBlock(STDIN_FILENO, "standard input") : std::string());
}

// The work of one rank: every size()-th shard.
class Job {
 public:
  Job(const PreprocessOptions& options, const Ranks& ranks, const SourceList& sources, Place place,
      const Observer& observer)
      : options_(options),
        ranks_(ranks),
        sources_(sources),
        place_(std::move(place)),
        observer_(observer),
        progress_(options.output) {}

  Summary Run() {
    const Duplicates duplicates = options_.dedupe ? FindDuplicates(sources_, ranks_) : Duplicates();
    ShardMaker maker(options_, sources_, place_, duplicates);
    for (std::uint64_t begin = 0; begin < sources_.size(); begin += options_.images_per_shard) {
      if (IsMine(begin)) mine_ += End(begin) - begin;
    }
    for (std::uint64_t begin = 0; begin < sources_.size(); begin += options_.images_per_shard) {
      if (IsMine(begin)) Shard(begin, maker, duplicates);
    }
    Settle();
    json results = json::array();
    for (const ShardResult& result : results_) results.push_back(ToJson(result));
    const json report = {{"kept", kept_}, {"read", read_}, {"results", std::move(results)}};
    Summary summary = Conclude(ranks_.Gather(report.dump(-1, ' ', false, json::error_handler_t::replace)));
    NoteDuplicatesAcrossLabels(sources_, duplicates, summary);
    return summary;
  }

 private:
  std::uint64_t End(std::uint64_t begin) const {
    return std::min<std::uint64_t>(begin + options_.images_per_shard, sources_.size());
  }
  bool IsMine(std::uint64_t begin) const {
    return begin / options_.images_per_shard % static_cast<std::uint64_t>(ranks_.size()) ==
           static_cast<std::uint64_t>(ranks_.rank());
  }

  void Shard(std::uint64_t begin, ShardMaker& maker, const Duplicates& duplicates) {
    const std::uint32_t number = place_.first_shard + static_cast<std::uint32_t>(begin / options_.images_per_shard);
    std::optional<ShardResult> finished = progress_.Finished(number);
    // An input that could not be compared when the shard was made may be readable now, and be the first of its kind.
    if (finished && HasDuplicates(*finished, duplicates, sources_, {begin, End(begin)})) {
      kept_ += End(begin) - begin;
      done_ += End(begin) - begin;
      observer_.progress(done_, mine_);
      Keep(std::move(*finished));
      return;
    }
    WrittenShard shard = maker.Make(number, begin, End(begin), [this](std::string_view outcome) {
      observer_.result(outcome);
      observer_.progress(++done_, mine_);
    });
    Settle();
    committing_ = std::async(std::launch::async, [this, shard = std::move(shard)]() mutable {
      ShardResult result = shard.Commit();
      progress_.Note(result);
      return result;
    });
  }

  void Keep(ShardResult result) {
    // The quarantine stays in the shard's note on disk. There may be more rejected inputs than memory
    // (progress_folder.h).
    result.quarantine = {};
    results_.push_back(std::move(result));
  }

  // Finishes the previous shard. The disk has had the time of a whole shard to write it.
  void Settle() {
    if (!committing_.valid()) return;
    Keep(committing_.get());
    read_ += results_.back().bytes_read;
  }

  // On rank 0: adds up the reports of all ranks and publishes the data set. On other ranks: an empty summary.
  Summary Conclude(const std::vector<std::string>& reports) {
    Summary summary;
    if (ranks_.rank() > 0) return summary;
    std::vector<ShardResult> results;
    for (const std::string& report : reports) {
      const json parsed = json::parse(report);
      summary.kept_from_before += parsed.at("kept").get<std::uint64_t>();
      summary.bytes_read += parsed.at("read").get<std::uint64_t>();
      for (const json& result : parsed.at("results")) results.push_back(ShardResultFrom(result));
    }
    // Sorted as on a single rank, so that the manifest has the same bytes for any number of ranks.
    std::sort(results.begin(), results.end(),
              [](const ShardResult& a, const ShardResult& b) { return a.entry.number < b.entry.number; });
    for (const ShardResult& result : results) summary.accepted += result.entry.records;
    summary.inputs = sources_.size();
    summary.rejected = WriteQuarantine(options_.output, results, progress_);
    for (const ShardResult& result : results) summary.left_to_try += result.left_to_try.size();
    const shard::Manifest manifest = Publish(options_, place_, sources_.size(), results);
    summary.total = manifest.accepted;
    AddLabelCounts(manifest, summary);
    if (place_.before) NoteNewLabels(*place_.before, manifest, summary);
    if (std::string note = RepeatedNamesNote(place_); !note.empty()) summary.notes.push_back(std::move(note));
    if (summary.left_to_try == 0) progress_.Remove();
    return summary;
  }

  const PreprocessOptions& options_;
  const Ranks& ranks_;
  const SourceList& sources_;
  const Place place_;
  const Observer& observer_;
  ProgressFolder progress_;
  std::vector<ShardResult> results_;
  std::uint64_t mine_ = 0;               // inputs in this rank's shards
  std::uint64_t done_ = 0;               // inputs of this rank that are done
  std::uint64_t kept_ = 0;               // inputs done by an earlier run
  std::uint64_t read_ = 0;               // bytes read by this run
  std::future<ShardResult> committing_;  // last, so that its destructor waits before the other members are destroyed
};

std::uint64_t Count(const std::vector<ShardResult>& left) {
  std::uint64_t count = 0;
  for (const ShardResult& result : left) count += result.left_to_try.size();
  return count;
}

void TellComplete(const SourceList& sources, const shard::Manifest& complete, std::uint64_t left, Summary& summary) {
  summary.inputs = sources.size();
  summary.total = complete.accepted;
  AddLabelCounts(complete, summary);
  summary.left_to_try = left;
  summary.already_complete = true;
}

// False when the folder cannot be written and need not be, because it is finished.
bool Lock(const PreprocessOptions& options, const json& plan, const SourceList& sources,
          std::optional<storage::FolderLock>& lock, Summary& summary) {
  try {
    lock.emplace(options.output);
    return true;
  } catch (const IoError& error) {
    const int why = error.error_number();
    if (why != EROFS && why != EACCES && why != EPERM) throw;
    const auto complete =
        fs::exists(options.output / shard::kManifestName) ? FindComplete(options, plan) : std::nullopt;
    if (!complete) throw;
    TellComplete(sources, *complete, Count(ProgressFolder(options.output).LeftToTry()), summary);
    return false;
  }
}

// Makes the data set an unfinished one again, or restores it as it was before --append.
void Unpublish(const fs::path& output, const ProgressFolder& progress) {
  const std::string before = progress.ManifestBefore();
  const fs::path manifest = output / shard::kManifestName;
  if (!before.empty()) return storage::WriteFileAtomically(manifest, before);
  if (fs::remove(manifest)) storage::SyncFolder(output);
}

// Forgets the shards with an input that could not be read earlier and can be opened now. False when there is none.
bool TakeUpAgain(const fs::path& output, const SourceList& sources, ProgressFolder& progress) {
  std::vector<ShardResult> left = progress.LeftToTry();
  std::erase_if(left, [&](const ShardResult& result) {
    return std::none_of(result.left_to_try.begin(), result.left_to_try.end(), [&](std::uint64_t input) {
      return input < sources.size() && CanBeOpened(sources.Path(input));
    });
  });
  if (left.empty()) return false;
  Unpublish(output, progress);
  for (const ShardResult& result : left) progress.Forget(result.entry.number);
  return true;
}

// Whether a data set that contains these inputs is complete, or nothing more can be tried now.
bool IsSettled(const PreprocessOptions& options, const SourceList& sources, const json& plan,
               const shard::Manifest& complete, ProgressFolder& progress, Summary& summary) {
  const json begun = progress.Plan();
  std::uint64_t left = 0;
  if (begun.is_null() || SameInputs(begun, complete.options)) {  // otherwise an --append was interrupted
    const bool is_ours = !begun.is_null() && IsLatest(begun, plan);
    left = is_ours ? Count(progress.LeftToTry()) : 0;
    if (left > 0 && TakeUpAgain(options.output, sources, progress)) return false;
    if (left == 0 && (is_ours || begun.is_null())) progress.Remove();
  }
  TellComplete(sources, complete, left, summary);
  return true;
}

// The plan of an unfinished earlier run, or of a finished one with inputs that are worth another try.
json TakeUpPlan(const PreprocessOptions& options, const SourceList& sources, const json& plan,
                ProgressFolder& progress) {
  storage::RemoveTemporaries(options.output);
  json extended = ExtendedPlan(options, plan);
  const bool adds = extended.contains("appended");
  const fs::path manifest = options.output / shard::kManifestName;
  const fs::path quarantine = options.output / shard::kQuarantineName;
  const json begun = progress.Plan();
  RequireSameRules(options, begun);
  // The existing data set still had inputs to try: they stay in its quarantine.
  if (adds && SameInputs(begun, shard::ReadManifest(options.output).options)) progress.Remove();
  if (SameInputs(begun, extended)) {
    extended = WithSampleOf(extended, begun);
    TakeUpAgain(options.output, sources, progress);
  }
  progress.Begin(extended, adds && fs::exists(quarantine) ? storage::ReadFile(quarantine) : "",
                 adds ? storage::ReadFile(manifest) : "");
  return extended;
}

// Rank 0 prepares the folder: it locks it and removes what an earlier run left unfinished. Null: nothing is to be done.
json Own(const PreprocessOptions& options, const SourceList& sources, std::optional<storage::FolderLock>& lock,
         Summary& summary) {
  const json plan = PlanOf(options, sources);
  storage::MakeFolders(options.output);
  if (!Lock(options, plan, sources, lock, summary)) return nullptr;
  ProgressFolder progress(options.output);
  const auto complete = FindComplete(options, plan);
  if (complete && IsSettled(options, sources, plan, *complete, progress, summary)) return nullptr;
  return TakeUpPlan(options, sources, plan, progress);
}

Summary RunJob(const PreprocessOptions& options, const Ranks& ranks, const SourceList& sources, const json& plan,
               const Observer& observer) {
  const auto all = static_cast<int>(tbb::this_task_arena::max_concurrency());
  const int threads = options.threads > 0 ? options.threads : all;
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  // The arena decides how many threads work; without this limit TBB would never start more than there are cores.
  tbb::task_arena arena(threads);
  Job job(options, ranks, sources, FindPlace(options, plan, sources), observer);
  return arena.execute([&] { return job.Run(); });
}

}  // namespace

Summary Preprocess(const PreprocessOptions& options, const Ranks& ranks, const Observer& observer) {
  SourceList sources = FindSources(
      options.inputs, options.lists, [&ranks] { return ReadStandardInput(ranks); }, {options.output, {options.preview}},
      options.labels);
  std::optional<storage::FolderLock> lock;
  Summary summary;
  json state = json::object();
  if (ranks.rank() == 0) {
    state["plan"] = Own(options, sources, lock, summary);
    state["inputs"] = sources.Digest();
  }
  state = json::parse(ranks.Broadcast(state.dump()));
  // Ranks divide the shards by number only, so ranks with different lists of inputs would mix two data sets.
  if (state.at("inputs") != sources.Digest()) {
    throw DataError(options.output, "rank " + std::to_string(ranks.rank()) +
                                        " sees other inputs than rank 0; all machines need the same files");
  }
  if (!state.at("plan").is_null()) sources.NamePlaces(state.at("plan").contains("appended"));
  if (!state.at("plan").is_null()) summary = RunJob(options, ranks, sources, state.at("plan"), observer);
  summary.notes.insert(summary.notes.begin(), sources.notes().begin(), sources.notes().end());
  summary.left_out = sources.left_out();
  return summary;
}

}  // namespace gan::preprocess
