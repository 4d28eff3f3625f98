#include "trainer/run/quality_watch.h"

#include <chrono>
#include <string>
#include <utility>

#include "trainer/run/agree.h"

namespace gan::run {

namespace {

// The interval at which rank 0 sends messages to the other ranks while they wait for it.
constexpr std::chrono::milliseconds kGlance{500};

}  // namespace

QualityWatch::QualityWatch(const TrainOptions& options, const std::shared_ptr<const data::Dataset>& dataset,
                           const data::Classes& classes, const RunFolder& folder, torch::Device device,
                           std::shared_ptr<distributed::Communicator> communicator, std::function<void(Section)> enter)
    : options_(options),
      communicator_(std::move(communicator)),
      enter_(std::move(enter)),
      best_(options.keep_best, options.patience) {
  if (options.quality_every > 0 && communicator_->rank() == 0) {
    work_.emplace(options, dataset, classes, folder, device);
  }
}

// Rank 0 passes each sign of life on to the other ranks, so that a time limit counts from the last one on every rank.
void QualityWatch::WaitForRankZero() {
  enter_(Section::kEvaluate);
  auto found = Aside::Found::kSilent;
  // Repeated broadcasts instead of one long wait: a collective fails after its time-out, and a measurement may take
  // longer than that.
  while (found != Aside::Found::kDone) {
    if (work_) found = work_->Wait(kGlance);
    found = static_cast<Aside::Found>(communicator_->Broadcast(std::string(1, static_cast<char>(found))).at(0));
    if (found == Aside::Found::kAlive) enter_(Section::kEvaluate);
  }
}

// Every rank gets the numbers of rank 0, because a rounding difference must not lead to different decisions.
std::optional<Measurement> QualityWatch::Take(std::uint64_t step, bool is_last) {
  if (!pending_ || (step < pending_->due && !is_last)) return std::nullopt;
  WaitForRankZero();
  std::string bytes;
  OnRankZero(*communicator_, [&] { bytes = Encode(work_->Finish()); });
  Measurement measured = Decode(communicator_->Broadcast(bytes));
  measured.step = pending_->step;
  measured.images = pending_->images;
  pending_.reset();
  best_.Take(measured.values, measured.step, measured.images);
  enter_(Section::kStep);
  return measured;
}

// A measurement can still be pending when a run resumes with shorter intervals.
bool QualityWatch::Begin(const step::Gan& gan, std::uint64_t step, std::uint64_t images) {
  if (options_.quality_every == 0 || HasReachedBest()) return false;
  if (step % options_.quality_every != 0 || pending_) {
    PrepareBeforeFirst(step);
    return false;
  }
  // All ranks store the pending measurement, although only rank 0 measures, because all must meet in the step in which
  // it is due.
  pending_ = PendingMeasurement{.step = step, .images = images, .due = step + Delay(options_.quality_every)};
  if (work_) work_->Begin(gan, step);
  return true;
}

// The first measurement takes longer, because it needs the features of the real images. They are computed before any
// other measurement can be running.
void QualityWatch::PrepareBeforeFirst(std::uint64_t step) {
  const std::uint64_t every = options_.quality_every;
  if (work_ && !pending_ && step % every >= Delay(every)) work_->Prepare();
}

std::optional<std::uint64_t> QualityWatch::best_step() const {
  return best_.best() ? std::optional(best_.best()->step) : std::nullopt;
}

nlohmann::json QualityWatch::Save() const {
  nlohmann::json state = best_.Save();
  if (pending_) state["pending"] = ToJson(*pending_);
  return state;
}

// Older checkpoints have no pending measurement, because their runs waited for each one.
void QualityWatch::Restore(const nlohmann::json& state, std::uint64_t images) {
  if (work_) work_->Drop();
  pending_.reset();
  best_.Restore(state, images);
  if (options_.quality_every > 0 && state.contains("pending")) pending_ = PendingFromJson(state.at("pending"));
}

void QualityWatch::BeginAgain(const checkpoint::Checkpoint& saved, const step::Gan& like) { work_->Begin(saved, like); }

}  // namespace gan::run
