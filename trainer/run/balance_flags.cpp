#include "trainer/run/balance_flags.h"

#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>

#include "storage/errors.h"

namespace gan::run {

namespace {

using enum OnResume;

// One line per public threshold with its default. docs/balance-study.md lists all others.
std::string PublicThresholds() {
  const nlohmann::json defaults = balance::BalanceOptions();
  std::string lines;
  for (const balance::PublicThreshold& threshold : balance::kPublicThresholds) {
    const std::string name(threshold.name);
    lines += "\n" + name + "=" + defaults.at(name).dump() + ": " + std::string(threshold.words) + ".";
  }
  return lines;
}

}  // namespace

// All but the faults may change on resuming, because users may adjust the balance during a run.
void AddBalanceFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Balance between G and D");
  flags.AddChoice(kMayChange, "--balance", o.balance.mode, balance::kModes, "Mode of the balance controller.");
  flags
      .Add(kMayChange, "--balance-actions", o.balance_actions,
           "Actions that --balance act may take, separated by commas; all or none." +
               cli::Explanations(balance::kActionGroups))
      ->type_name("LIST");
  flags
      .Add(kMayChange, "--balance-set", o.balance_set,
           "Thresholds of the balance, as NAME=VALUE, separated by commas. docs/balance-study.md lists more." +
               PublicThresholds())
      ->delimiter(',')
      ->type_name("LIST");
  flags.RareGroup("studies of the balance");
  flags.AddChoice(kMayChange, "--balance-rule", o.balance.rule, balance::kRules,
                  "Which rule chooses the learning rates.");
  flags
      .Add(kFixed, "--inject", o.inject,
           "Cause faults on purpose, separated by commas.\n"
           "latents:K@S+N: only K different latents in N steps from step S on.\n"
           "loss:X@S, weights:X@S, moments:X@S, pictures:X@S: multiply these by X in step S.\n"
           "loader:T@S, rank:T@S: delay the last rank by T seconds in step S.")
      ->type_name("LIST");
}

// Thresholds are set through the JSON form of the options, which knows all their names.
balance::BalanceOptions ResolveBalance(const TrainOptions& options) {
  nlohmann::json fields = options.balance;
  for (const std::string& setting : options.balance_set) {
    const std::size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const nlohmann::json value = equals == std::string::npos
                                     ? nlohmann::json()
                                     : nlohmann::json::parse(setting.substr(equals + 1), nullptr, false);
    // The two excluded names are members of the same JSON object and have their own flags.
    if (!value.is_number() || name == "mode" || name == "remedies" || !fields.contains(name)) {
      throw UsageError("--balance-set " + setting +
                       ": must be NAME=NUMBER with a name from docs/balance.md or docs/balance-study.md");
    }
    // A count that is negative or too large would wrap around, and a fraction would be cut off.
    if (fields[name].is_number_unsigned() &&
        (!value.is_number_unsigned() || value > std::numeric_limits<std::uint32_t>::max())) {
      throw UsageError("--balance-set " + setting + ": must be a whole number from 0 to 4294967295");
    }
    fields[name] = value;
  }
  // These values are not thresholds: they come from other flags.
  auto resolved = fields.get<balance::BalanceOptions>();
  resolved.action_groups = balance::ParseActionGroups(options.balance_actions);
  resolved.rule = options.balance.rule;
  resolved.lr_g = options.lr_g;
  resolved.lr_d = options.lr_d;
  resolved.beta1 = options.gan.adam.beta1;
  resolved.features = static_cast<std::uint32_t>(options.gan.network.features);
  if (options.lr_g > 0) resolved.d_pace = options.lr_d * static_cast<double>(options.d_steps) / options.lr_g;
  balance::CheckOptions(resolved);
  if (resolved.IsEnabled(balance::ActionGroup::kWidenDiscriminator) && options.gan.network.spectral_norm) {
    throw UsageError("--balance-actions widen-d: --spectral-norm would change what the wider D computes");
  }
  return resolved;
}

}  // namespace gan::run
