#include "trainer/run/length_flags.h"

#include <string>

#include "cli/duration.h"
#include "storage/errors.h"

namespace gan::run {

namespace {

using enum OnResume;

constexpr cli::Choice<Preset> kPresets[] = {
    {Preset::kNone, "none", "the defaults that this list shows"},
    {Preset::kAuto, "auto", "chosen from the data set, the machine and --time; the log says what and why"},
    {Preset::kPaper, "paper", "the DCGAN at 128 pixels with smoothed labels, and no balance"}};

// Why `text` is not a time; empty when it is one.
std::string WhyNoTime(const std::string& text) {
  try {
    cli::ParseDuration(text);
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

}  // namespace

// Fixed, because a preset is only used to begin a run: its values are flags of the run from then on.
void AddPresetFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Preset");
  flags.AddChoice(kFixed, "--preset", o.preset, kPresets, "Values of the flags that are not given to a new run.");
}

// The four kinds of length exclude each other; WithFlagsOf relies on that.
void AddLengthFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Length of the whole run, resumed parts included (default: 100 epochs)");
  auto* steps = flags.Add(kMayChange, "--steps", o.steps, "Number of training steps.");
  auto* images = flags.Add(kMayChange, "--images", o.images, "Number of real images shown to D, over all ranks.");
  auto* epochs = flags.Add(kMayChange, "--epochs", o.epochs, "Number of passes over the data set.");
  auto* time = flags.Add(kMayChange, "--time", o.time,
                         "Time for the training steps, such as 90s, 30m or 1h30m. A short measurement at the start "
                         "turns it into a number of steps, with which a run also resumes.");
  time->type_name("TIME")->check(CLI::Validator(WhyNoTime, ""));
  steps->excludes(images)->excludes(epochs)->excludes(time);
  images->excludes(epochs)->excludes(time);
  epochs->excludes(time);
}

}  // namespace gan::run
