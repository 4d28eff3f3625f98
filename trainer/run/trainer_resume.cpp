// How a Trainer starts: with a new run or from a checkpoint.
#include <random>

#include "cli/build_facts.h"
#include "cli/log.h"
#include "monitoring/page/live_page.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "trainer/run/agree.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/init_from.h"
#include "trainer/run/objective_flags.h"
#include "trainer/run/trainer.h"

namespace gan::run {

std::string Trainer::NewLineage() {
  // From the system and not from the seed: two branches of one run have the same seed.
  std::random_device random;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", random(), random());
  return text;
}

// The values that a checkpoint and a run must have in common for resuming.
nlohmann::json Trainer::Identity() const {
  nlohmann::json identity = ToJson(options_);
  identity["d_width"] = gan_.options.network.d_width;
  identity["world_size"] = world_.size;
  identity["batch"] = batches_of_step_.batch;
  identity["global_batch"] = GlobalBatch();
  identity["dataset_digest"] = dataset_->manifest().dataset_digest;
  return identity;
}

std::optional<checkpoint::Checkpoint> Trainer::FindCheckpoint() {
  if (options_.resume == "none") {
    OnRankZero(*control_, [&] {
      if (checkpoint::ListCheckpoints(folder_.Checkpoints()).empty()) return;
      throw UsageError(folder_.path().string() + " holds checkpoints; choose another --run, or omit --resume none");
    });
    return std::nullopt;
  }
  if (options_.resume != "auto") return LoadNamedCheckpoint();
  std::optional<checkpoint::Checkpoint> newest;
  OnAllRanks(*control_, [&] {
    newest = checkpoint::LoadNewest(folder_.Checkpoints(), RankGroupOf(*control_),
                                    [](const std::string& why) { cli::LogWarning(why); });
  });
  return newest;
}

bool Trainer::IsOfThisRun(const checkpoint::Checkpoint& saved) const {
  std::error_code missing;  // a new run may have no folder of checkpoints yet
  return std::filesystem::equivalent(saved.folder.parent_path(), folder_.Checkpoints(), missing);
}

std::optional<checkpoint::Checkpoint> Trainer::LoadNamedCheckpoint() {
  std::optional<checkpoint::Checkpoint> named;
  OnAllRanks(*control_, [&] { named = checkpoint::LoadTogether(options_.resume, RankGroupOf(*control_)); });
  OnRankZero(*control_, [&] {
    const auto existing = checkpoint::ListCheckpoints(folder_.Checkpoints());
    if (existing.empty()) return;
    if (!IsOfThisRun(*named)) {
      throw UsageError(folder_.path().string() + " already has checkpoints, up to " + existing[0].filename().string() +
                       "; choose another --run to start from " + options_.resume);
    }
  });
  return named;
}

// Resuming from an older checkpoint of the same run starts another branch of its history. The later checkpoints are
// renamed and kept, because they may turn out to be better than what follows.
void Trainer::AbandonLaterCheckpoints() {
  std::string left = lineage_;
  OnRankZero(*control_, [&] {
    const auto existing = checkpoint::ListCheckpoints(folder_.Checkpoints());
    const auto newest = existing.empty() ? std::optional<std::uint64_t>()
                                         : checkpoint::ParseCheckpointFolderName(existing[0].filename().string());
    if (!newest || *newest <= step_) return;
    checkpoint::SetLaterAside(folder_.Checkpoints(), step_);
    left = NewLineage();
    cli::LogInfo("rolled back to step " + std::to_string(step_) +
                 ": later checkpoints are set aside as *.abandoned-*, the new branch is " + left);
  });
  if (left != lineage_) AbandonLaterGrids();
  lineage_ = control_->Broadcast(left);
}

// A process that was killed after a rollback and before its next checkpoint has not recorded the new branch anywhere.
void Trainer::LeaveLineageOf(const checkpoint::Checkpoint& saved) {
  const std::size_t known = rollback_policy_.RollbacksBefore(saved.state, saved.step);
  if (lineage_ != saved.lineage || known == rollback_policy_.history().all().size()) return;
  lineage_ = control_->Broadcast(NewLineage());
}

// Renames the image grids of the abandoned branch. A failure does not end the run.
void Trainer::AbandonLaterGrids() {
  if (world_.rank != 0) return;
  try {
    folder_.SetLaterGridsAside(step_, lineage_);
  } catch (const std::exception& error) {
    cli::LogWarning(std::string(error.what()) + "; the grids of the abandoned branch keep their names");
  }
}

// The order matters: nothing in the folder changes until everything that can fail has succeeded.
void Trainer::BeginOrResume() {
  const bool was_going_back = ReadRollbackHistory();
  const std::optional<checkpoint::Checkpoint> saved = FindCheckpoint();
  OnAllRanks(*control_, [&] {
    std::uint64_t global_batch = options_.global_batch;
    if (saved && global_batch == 0) global_batch = saved->state.at("options").at("global_batch");
    batches_of_step_ = PlanBatches(options_.batch, global_batch, world_.size);
    quality_.emplace(options_, dataset_, classes_, folder_, device_, evaluation_, enter_);
    if (saved) Restore(*saved);
    if (gan_.options.loss.perceptual > 0) {
      gan_.extractor = std::make_shared<loss::FeatureExtractor>(gan_.options.loss.perceptual_file, device_);
    }
  });
  // A run that starts from the checkpoint of another run has none of its own yet, even if it is at its end already.
  if (saved && control_->AllAgree(IsOfThisRun(*saved))) saver_->set_last_saved_step(saved->step);
  if (saved && was_going_back) AbandonLaterGrids();
  if (saved) AbandonLaterCheckpoints();
  if (saved) LeaveLineageOf(*saved);
  if (saved) MeasureAgain(*saved);
  OpenRecorderAndBatches();
  if (!saved) BeginNew();
  // The buffers of the first save are allocated before training, which would otherwise pause for it.
  saver_->Prepare(gan_.NamedState());
  OnRankZero(*control_, [&] {
    nlohmann::json facts = {{"options", Identity()}, {"build", cli::BuildFacts()}};
    if (!classes_.empty()) facts["classes"] = ToJson(classes_);
    storage::WriteFileAtomically(folder_.Options(), facts.dump(2) + "\n");
    recorder_->CutStats();  // last, so that a run that cannot start has changed nothing
  });
  AnnounceStart();
}

void Trainer::AnnounceStart() {
  if (world_.rank != 0) return;
  cli::LogInfo("run folder " + folder_.path().string() + "  ranks " + std::to_string(world_.size) + "  threads " +
               std::to_string(torch::get_num_threads()) + "  device " + device_.str() + "   images " +
               std::to_string(dataset_->size()) + " (+" + std::to_string(dataset_->holdout_size()) + " held out)");
  recorder_->Status("running");
  if (!metrics_->serving()) return;
  monitoring::ServePage(*metrics_->server(), std::make_shared<monitoring::RunView>(folder_.path(), /*live=*/true));
  cli::LogInfo("live page at http://" + metrics_->address() + "/  metrics at http://" + metrics_->address() +
               "/metrics");
}

void Trainer::Restore(const checkpoint::Checkpoint& saved) {
  RequireSameClasses(saved.state, classes_, saved.folder);
  RequireResumable(saved.state.at("options"), Identity(), saved.folder);
  // The checkpoint's D may be wider than configured, because the balance can widen it during a run.
  if (recorded_steps_) recorded_steps_->Forget();
  RebuildDiscriminator(NetworkFromJson(saved.state.at("options")).d_width);
  RestoreAll(saved, gan_.NamedState());
  if (options_.gan.network.d_width > gan_.options.network.d_width) {
    step::WidenDiscriminator(gan_, options_.gan.network.d_width, options_.seed);
  }
  if (saved.state.contains("ada")) ada_.Restore(saved.state.at("ada"));
  if (saved.state.contains("quality")) quality_->Restore(saved.state.at("quality"), saved.images);
  controller_.Restore(saved.state.at("balance"));
  if (!classes_.empty()) class_watch_->Restore(saved.state.at("class_watch"));
  RestoreUndecidedStep(saved.state.value("row", nlohmann::json::object()));
  // Decided here and not in RollBack(), so that a run that is killed before its next checkpoint repeats the decision.
  // The checkpoint is older than these collapses, so its controls lack what was changed after each of them.
  const std::size_t known = rollback_policy_.RollbacksBefore(saved.state, saved.step);
  for (const std::uint32_t collapses_before : rollback_policy_.history().CollapsesAfter(known)) {
    for (auto& change : controller_.RespondToCollapse(saved.step, collapses_before)) {
      unpublished_.push_back(std::move(change));
    }
  }
  rollback_policy_.Restore(saved.state);
  d_restarts_ = saved.state.value("d_restarts", 0U);
  stats_bytes_.reset();
  if (saved.state.contains("stats_bytes")) stats_bytes_ = saved.state.at("stats_bytes").get<std::uint64_t>();
  step_ = saved.step;
  d_updates_ = saved.state.value("d_updates", saved.step);  // older checkpoints counted steps
  images_ = saved.images;
  lineage_ = saved.lineage;
  if (world_.rank == 0) LogResume(saved);
}

// A measurement that was pending when the checkpoint was saved begins again, so that its result takes effect in the
// same step as without the interruption. Its state is in a checkpoint of its own; without that, it is left out.
void Trainer::MeasureAgain(const checkpoint::Checkpoint& saved) {
  if (!quality_->pending()) return;
  const std::uint64_t step = quality_->pending()->step;
  std::string why_not;
  OnRankZero(*control_, [&] {
    try {
      if (step == saved.step) return quality_->BeginAgain(saved, gan_);
      const auto folder = checkpoint::CheckpointFolderName(saved.folder.parent_path(), step);
      quality_->BeginAgain(checkpoint::Load(folder), gan_);
    } catch (const checkpoint::NewerVersionError&) {
      throw;
    } catch (const DataError& error) {
      why_not = error.what();
    }
  });
  why_not = control_->Broadcast(why_not);
  if (why_not.empty()) return;
  quality_->ForgetPending();
  if (world_.rank == 0) cli::LogWarning(why_not + "; the quality of step " + std::to_string(step) + " stays unknown");
}

void Trainer::LogResume(const checkpoint::Checkpoint& saved) const {
  cli::LogInfo("resumed from " + saved.folder.string() + ": step " + std::to_string(step_) + ", " +
               storage::Counted(images_, "image"));
  std::string from_run;
  for (const std::string& flag : options_.from_run) from_run += (from_run.empty() ? "" : ", ") + flag;
  if (!from_run.empty()) cli::LogInfo("flags taken from the run: " + from_run);
  const int ranks_before = saved.state.at("options").at("world_size");
  if (ranks_before == world_.size) return;
  // Batch norm sees the images of one micro-batch together; --sync-bn and the feature losses see those of all ranks.
  const std::uint64_t batch_before = saved.state.at("options").at("batch");
  const loss::LossOptions& loss = options_.gan.loss;
  const bool same_on_a_rank = batch_before == batches_of_step_.batch;
  const bool same_on_all = batch_before * static_cast<std::uint64_t>(ranks_before) ==
                           batches_of_step_.batch * static_cast<std::uint64_t>(world_.size);
  const bool has_feature_loss = loss.feature_matching > 0 || loss.perceptual > 0;
  const bool same = (options_.gan.sync_batch_norm ? same_on_all : same_on_a_rank) && (!has_feature_loss || same_on_all);
  cli::LogInfo(storage::Counted(ranks_before, "rank") + " before, " + std::to_string(world_.size) +
               " now: the same images and latents per step (" + std::to_string(GlobalBatch()) + "), " +
               storage::Counted(batches_of_step_.micro_batches, "micro-batch", "micro-batches") + " of " +
               storage::Counted(batches_of_step_.batch, "image") + " on each rank; " +
               (same ? "equal up to rounding, not bit for bit"
                     : "not equal, because batch norm or a loss takes its means over other groups of images"));
}

// Restores a step on which the controller has not decided yet. Older checkpoints contain no such step, because their
// controller decided within the step.
void Trainer::RestoreUndecidedStep(const nlohmann::json& state) {
  undecided_.reset();
  auc_ = state.value("auc", 0.5);
  if (!state.contains("step")) return;
  undecided_ = {state.at("step").get<std::uint64_t>(), state.at("signals").get<balance::Signals>(),
                state.at("sign_mean").get<double>(), state.at("images").get<std::uint64_t>()};
}

void Trainer::RebuildDiscriminator(std::int64_t width) {
  if (width == gan_.options.network.d_width) return;
  step::GanOptions as_saved = gan_.options;
  as_saved.network.d_width = width;
  const auto extractor = gan_.extractor;
  gan_ = step::Gan(as_saved, device_, options_.seed, gradients_);
  gan_.extractor = extractor;
  gan_.classes = classes_;
}

void Trainer::BeginNew() {
  OnAllRanks(*control_, [&] {
    for (const auto& source : options_.init_from) {
      const std::string what = StartFrom(source, gan_);
      if (world_.rank == 0) cli::LogInfo(what);
    }
  });
  // All ranks have computed the same weights from the seed; this makes sure of it, also across different processors.
  for (auto& [name, tensor] : gan_.NamedState()) gradients_->Broadcast(tensor);
  lineage_ = control_->Broadcast(NewLineage());
  WriteFirstImages();
  SaveSamples();
}

void Trainer::OpenRecorderAndBatches() {
  const auto published = recorder_ ? recorder_->published_traffic() : distributed::TrafficCounters();
  OnAllRanks(*control_, [&] { recorder_.emplace(folder_, options_, world_, *metrics_, step_, images_, stats_bytes_); });
  recorder_->set_published_traffic(published);
  batches_.emplace(dataset_, classes_, options_, rollback_policy_.history().Seed(options_.seed), batches_of_step_.batch,
                   world_, device_, images_);
}

}  // namespace gan::run
