#include "trainer/run/faults.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <sstream>
#include <string_view>
#include <thread>

#include "storage/errors.h"

namespace gan::run {

Faults::Faults(const std::string& text, bool is_last_rank) : is_last_rank_(is_last_rank) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) faults_.push_back(Parse(part));
}

namespace {

// Removes the part of `text` after the last `mark`, and returns it; empty when there is none.
std::string_view CutAt(std::string_view& text, char mark) {
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view after = text.substr(at + 1);
  text = text.substr(0, at);
  return after;
}

template <typename Number>
bool IsNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Faults::Fault Faults::Parse(const std::string& text) {
  static const std::map<std::string_view, Kind> kKinds = {{"latents", Kind::kLatents},   {"loss", Kind::kLoss},
                                                          {"weights", Kind::kWeights},   {"moments", Kind::kMoments},
                                                          {"pictures", Kind::kPictures}, {"loader", Kind::kLoader},
                                                          {"rank", Kind::kRank}};
  constexpr std::uint64_t kSteps = 1'000'000'000'000;
  constexpr double kMost = 1e9;  // latents or seconds
  Fault fault;
  std::string_view kind = text;
  std::string_view step = CutAt(kind, '@');
  const std::string_view amount = CutAt(kind, ':');
  const bool lasts = step.find('+') != std::string_view::npos;
  const std::string_view count = lasts ? CutAt(step, '+') : "1";
  const auto known = kKinds.find(kind);
  const bool has_form = known != kKinds.end() && IsNumber(amount, fault.amount) && !std::isinf(fault.amount) &&
                        IsNumber(step, fault.first) && fault.first < kSteps && IsNumber(count, fault.count) &&
                        fault.count < kSteps;
  if (!has_form) {
    throw UsageError(
        "--inject " + text +
        ": must look like latents:4@200+150, loss:1000@300, weights:100@300, moments:nan@300, pictures:nan@300, "
        "loader:60@300 or rank:60@300");
  }
  fault.kind = known->second;
  const bool counts = fault.kind == Kind::kLatents, waits = fault.kind == Kind::kLoader || fault.kind == Kind::kRank;
  if (counts && !(fault.amount >= 1 && fault.amount <= kMost))
    throw UsageError("--inject " + text + ": from 1 to 1e9 latents");
  if (waits && !(fault.amount >= 0 && fault.amount <= kMost))
    throw UsageError("--inject " + text + ": from 0 to 1e9 seconds");
  return fault;
}

void Faults::Inject(step::Gan& gan, std::uint64_t step) const {
  torch::NoGradGuard no_grad;
  for (const Fault& fault : faults_) {
    if (fault.Strikes(Kind::kMoments, step)) {
      for (auto& [name, tensor] : gan.discriminator_optimizer.NamedState("")) {
        if (name.starts_with("exp_avg.")) tensor.mul_(fault.amount);
      }
    }
    if (!fault.Strikes(Kind::kWeights, step)) continue;
    // The last convolution, because after any other one a norm would remove the factor.
    const torch::nn::Sequential& layers = gan.discriminator;
    for (const auto& parameter : layers->ptr(layers->size() - 1)->parameters()) parameter.mul_(fault.amount);
  }
}

// A factor of NaN makes the loss of the step not finite.
void Faults::Inject(step::StepPlan& plan, std::uint64_t step) const {
  for (const Fault& fault : faults_) {
    if (fault.Strikes(Kind::kLoss, step)) plan.loss_factor = fault.amount;
  }
}

// The first step of a resumed run is exempt, as the header explains.
void Faults::Wait(Kind kind, std::uint64_t step) const {
  if (!is_last_rank_ || step == first_step_) return;
  for (const Fault& fault : faults_) {
    if (fault.Strikes(kind, step)) std::this_thread::sleep_for(std::chrono::duration<double>(fault.amount));
  }
}

// Called when a batch is taken, so that a late loader delays the step like a slow disk.
step::Batch Faults::Inject(step::Batch batch, std::uint64_t step) const {
  Wait(Kind::kLoader, step);
  for (const Fault& fault : faults_) {
    if (fault.Strikes(Kind::kPictures, step)) batch.real.mul_(fault.amount);
    if (!fault.Strikes(Kind::kLatents, step)) continue;
    const std::int64_t different = std::min(static_cast<std::int64_t>(fault.amount), batch.latents.size(0));
    // Uses the same latents in every step: a generator that sees only a few latents forgets all others. Training's own
    // random numbers are not affected, because they come from counters (data/sampler.h).
    torch::manual_seed(0);
    const torch::Tensor few = torch::randn({different, batch.latents.size(1), 1, 1}).to(batch.latents.options());
    batch.latents = few.index_select(
        0, torch::arange(batch.latents.size(0), torch::dtype(torch::kLong).device(few.device())) % different);
  }
  return batch;
}

}  // namespace gan::run
