#include "trainer/run/machine_flags.h"

#include <string_view>

namespace gan::run {

namespace {

using enum OnResume;

constexpr cli::Choice<std::string_view> kDevices[] = {cli::Word("auto", "cuda when there is a GPU, otherwise cpu"),
                                                      cli::Word("cpu", ""), cli::Word("cuda", "")};
constexpr cli::Choice<bool> kCudaGraphs[] = {
    {false, "off", "the host queues every operation"},
    {true, "auto", "record each kind of step once and repeat it, except with --perceptual; no GPU has run this yet"}};
constexpr cli::Choice<distributed::SyncPath> kSyncPaths[] = {
    {distributed::SyncPath::kAuto, "auto", "flat on CPUs, bucketed on GPUs"},
    {distributed::SyncPath::kFlat, "flat", "one all-reduce after the backward pass"},
    {distributed::SyncPath::kBucketed, "bucketed", "all-reduces that overlap with the backward pass"}};
constexpr cli::Choice<model::ConvolutionPath> kConvolutionPaths[] = {
    {model::ConvolutionPath::kAuto, "auto", "channels-last; on CPUs the faster way for each shape"},
    {model::ConvolutionPath::kTorch, "torch", "LibTorch's own, bit for bit as in PyTorch"}};

}  // namespace

// Flags that change the results are fixed; those that depend on the machine may change.
void AddMachineFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Machine");
  flags.AddChoice(kFixed, "--device", o.device, kDevices, "Device to train on.");
  flags
      .Add(kMayChange, "--threads", o.threads,
           "Compute threads per rank. 0 shares the cores of the host among its ranks.")
      ->check(CLI::Range(0, 4096));
  flags.AddSwitch(kMayChange, "--deterministic", o.deterministic,
                  "Make every run with the same flags on the same CPU model bit-for-bit identical.");
  flags.Add(kMayChange, "--expect-world-size", o.expect_world_size,
            "Refuse to start with another number of ranks. 0 accepts any number.");
  flags.AddSwitch(kMayChange, "--dry-run", o.dry_run,
                  "Print the parameters, the memory and the measured time per step, and exit.");
  flags.AddSwitch(kMayChange, "--json", o.json, "Print the result of --dry-run as one JSON object.");
  flags.RareGroup("machine");
  flags.AddSwitch(kMayChange, "--measure", o.measure,
                  "Let --dry-run measure the time per step. --no-measure answers at once.");
  flags.AddChoice(kFixed, "--gradient-sync", o.gan.gradients.path, kSyncPaths,
                  "How gradients are averaged over ranks.");
  flags.AddChoice(kMayChange, "--cuda-graphs", o.cuda_graphs, kCudaGraphs, "How steps are queued on a GPU.");
  flags.AddChoice(kFixed, "--convolutions", o.gan.network.convolutions, kConvolutionPaths,
                  "How convolutions are computed.");
  flags.AddSwitch(kFixed, "--channels-last", o.gan.channels_last,
                  "Keep weights and images in NHWC order with --convolutions torch; auto always does so.");
}

void AddMetricsFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Metrics and live page");
  const auto add = [&flags](const std::string& name, std::string& value, const std::string& help) {
    return flags.Add(kMayChange, name, value, help);
  };
  cli::AddMetricsFlags(add, {o.metrics_port, o.metrics_address, o.metrics_password_file});
}

// These values must not be written to any file, so a run does not keep them.
void AddPushFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Alerts and OpenTelemetry (give them again when you resume a run)");
  flags
      .AddSecret("--alert-webhook", o.alert_webhook,
                 "Send alerts as JSON to this address. mpirun and ps show the address to other users of the host, so "
                 "prefer a file (@FILE; its further lines are HTTP headers), or EQUIPOISE_ALERT_WEBHOOK.")
      ->type_name("URL|@FILE");
  flags
      .AddSecret("--alert-command", o.alert_command,
                 "Run this shell command for each alert, with the JSON on its standard input. Prefer @FILE or "
                 "EQUIPOISE_ALERT_COMMAND, for the same reason.")
      ->type_name("CMD|@FILE");
  flags
      .AddSecret("--otlp-endpoint", o.otlp_endpoint,
                 "Push metrics and events as OTLP over HTTP in JSON. Prefer @FILE or OTEL_EXPORTER_OTLP_ENDPOINT. The "
                 "other OTEL_ variables are read as well.")
      ->type_name("URL|@FILE");
}

// One time limit per section of a run, because saving may take much longer than a step.
void AddTimeoutFlags(Flags& flags, TrainOptions& o) {
  flags.RareGroup("time limits in seconds (0: none)");
  flags.Add(
      kMayChange, "--start-timeout", o.watchdog.start_seconds,
      "Time limit from the start to the first step. A rank that exceeds a limit writes its stack traces to the run "
      "folder and ends.");
  flags.Add(kMayChange, "--step-timeout", o.watchdog.step_seconds, "Time limit of a step.");
  flags.Add(kMayChange, "--save-timeout", o.watchdog.save_seconds,
            "Time limit of a checkpoint, including the wait for other ranks.");
  flags.Add(kMayChange, "--evaluate-timeout", o.watchdog.evaluate_seconds,
            "Time limit of a batch of a quality measurement that a step waits for, of a grid, and of the comparison of "
            "ranks.");
  flags
      .Add(kMayChange, "--comm-timeout", o.comm_timeout_seconds,
           "Time limit of a collective operation. The error names the rank and the operation.")
      ->check(CLI::Range(1, 86400));
}

}  // namespace gan::run
