#include "trainer/run/faults.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <regex>
#include <sstream>
#include <thread>

#include "storage/errors.h"

namespace gan::run {

Faults::Faults(const std::string& text, bool is_last_rank) : is_last_rank_(is_last_rank) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) faults_.push_back(Parse(part));
}

// A regular expression rejects all malformed texts, so that the conversions below cannot fail.
Faults::Fault Faults::Parse(const std::string& text) {
  static const std::regex kForm(
      R"((latents|loss|weights|moments|pictures|loader|rank):([-+.0-9e]+|nan)@([0-9]{1,12})(\+([0-9]{1,12}))?)");
  std::smatch match;
  if (!std::regex_match(text, match, kForm)) {
    throw UsageError(
        "--inject " + text +
        ": must look like latents:4@200+150, loss:1000@300, weights:100@300, moments:nan@300, pictures:nan@300, "
        "loader:60@300 or rank:60@300");
  }
  Fault fault;
  const std::map<std::string, Kind> kinds = {{"latents", Kind::kLatents},   {"loss", Kind::kLoss},
                                             {"weights", Kind::kWeights},   {"moments", Kind::kMoments},
                                             {"pictures", Kind::kPictures}, {"loader", Kind::kLoader},
                                             {"rank", Kind::kRank}};
  fault.kind = kinds.at(match[1]);
  fault.amount = match[2] == "nan" ? std::nan("") : std::stod(match[2]);
  fault.first = std::stoull(match[3]);
  if (match[5].matched) fault.count = std::stoull(match[5]);
  if (fault.kind == Kind::kLatents && !(fault.amount >= 1))
    throw UsageError("--inject " + text + ": at least 1 latent");
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
    // The same latents in every step: a generator that sees only a few latents forgets all others.
    torch::manual_seed(0);
    const torch::Tensor few = torch::randn({different, batch.latents.size(1), 1, 1}).to(batch.latents.options());
    batch.latents = few.index_select(
        0, torch::arange(batch.latents.size(0), torch::dtype(torch::kLong).device(few.device())) % different);
  }
  return batch;
}

}  // namespace gan::run
