#include "trainer/run/faults.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <sstream>

#include "storage/errors.h"

namespace gan::run {

Faults::Faults(const std::string& text) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) faults_.push_back(Parse(part));
}

Faults::Fault Faults::Parse(const std::string& text) {
  static const std::regex kForm(R"((latents|loss|weights|pictures):([-+.0-9e]+|nan)@([0-9]{1,12})(\+([0-9]{1,12}))?)");
  std::smatch match;
  if (!std::regex_match(text, match, kForm)) {
    throw UsageError("--inject " + text +
                     ": must look like latents:4@200+150, loss:1000@300, weights:100@300 or pictures:nan@300");
  }
  Fault fault;
  const std::map<std::string, Kind> kinds = {
      {"latents", Kind::kLatents}, {"loss", Kind::kLoss}, {"weights", Kind::kWeights}, {"pictures", Kind::kPictures}};
  fault.kind = kinds.at(match[1]);
  fault.amount = match[2] == "nan" ? std::nan("") : std::stod(match[2]);
  fault.first = std::stoull(match[3]);
  if (match[5].matched) fault.count = std::stoull(match[5]);
  if (fault.kind == Kind::kLatents && !(fault.amount >= 1))
    throw UsageError("--inject " + text + ": at least 1 latent");
  return fault;
}

void Faults::Spoil(step::Gan& gan, std::uint64_t step) const {
  torch::NoGradGuard no_grad;
  for (const Fault& fault : faults_) {
    if (!fault.Strikes(Kind::kWeights, step)) continue;
    // Its last convolution: behind any other a norm would take the factor out again.
    for (const auto& parameter : gan.discriminator->children().back()->parameters()) parameter.mul_(fault.amount);
  }
}

void Faults::Spoil(step::StepPlan& plan, std::uint64_t step) const {
  for (const Fault& fault : faults_) {
    if (fault.Strikes(Kind::kLoss, step)) plan.loss_factor = fault.amount;
  }
}

step::Batch Faults::Spoil(step::Batch batch, std::uint64_t step) const {
  for (const Fault& fault : faults_) {
    if (fault.Strikes(Kind::kPictures, step)) batch.real.mul_(fault.amount);
    if (!fault.Strikes(Kind::kLatents, step)) continue;
    const std::int64_t different = std::min(static_cast<std::int64_t>(fault.amount), batch.latents.size(0));
    // The same few in every step: whatever the batch, a generator that sees nothing else forgets the rest.
    torch::manual_seed(0);
    const torch::Tensor few = torch::randn({different, batch.latents.size(1), 1, 1}).to(batch.latents.options());
    batch.latents = few.index_select(
        0, torch::arange(batch.latents.size(0), torch::dtype(torch::kLong).device(few.device())) % different);
  }
  return batch;
}

}  // namespace gan::run
