#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "cli/build_facts.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "inspect/checkpoints.h"
#include "inspect/dump.h"
#include "inspect/kind.h"
#include "inspect/pictures.h"
#include "inspect/plot.h"
#include "inspect/records.h"
#include "inspect/runs.h"
#include "inspect/serve.h"
#include "inspect/shards.h"
#include "monitoring/page/live_page.h"
#include "storage/errors.h"

namespace {

using gan::inspect::Kind;
using gan::inspect::Report;

struct Flags {
  std::filesystem::path path;
  bool json = false;
  std::uint32_t dump = 0;
  std::optional<std::uint64_t> record;
  bool list = false;
  std::filesystem::path out;
  bool serve = false;
  bool report = false;
  bool plot = false;
  std::filesystem::path report_file;
  gan::inspect::ServeOptions server;
};

void AddPageFlags(CLI::App& app, Flags& flags) {
  const std::string group = "A run as a page";
  CLI::Option* serve = app.add_flag("--serve", flags.serve, "Serve the page of a run, finished or not")->group(group);
  CLI::Option* report = app.add_flag("--report", flags.report, "Write the page of a run into one file, OUT.html");
  report->group(group)->excludes(serve);
  CLI::Option* plot = app.add_flag("--plot", flags.plot, "Draw the curves of a run into one picture, OUT.png");
  plot->group(group)->excludes(serve)->excludes(report);
  app.add_option("OUT", flags.report_file, "With --report or --plot: the file to write");
  app.add_option("--address", flags.server.address, "Address for --serve")
      ->needs(serve)
      ->group(group)
      ->capture_default_str();
  app.add_option("--port", flags.server.port, "Port for --serve; 0: any free one")
      ->needs(serve)
      ->check(CLI::Range(0, 65535))
      ->group(group)
      ->capture_default_str();
  app.add_option("--password-file", flags.server.password_file, "Ask for what its one line says, user:password")
      ->needs(serve)
      ->group(group);
}

void AddFlags(CLI::App& app, Flags& flags) {
  app.add_option("PATH", flags.path,
                 "Shard folder, shard, checkpoint, .safetensors file, run folder, or image (.png, .webp, .mp4)")
      ->required();
  app.add_flag("--json", flags.json, "One JSON object on stdout")->group("Output");
  CLI::Option* dump = app.add_option("--dump", flags.dump, "Draw the first N pictures of a shard or shard folder")
                          ->check(CLI::Range(1, 10000))
                          ->group("Output");
  CLI::Option* record =
      app.add_option("--record", flags.record, "Write one picture, by its number in --list, as it is")->group("Output");
  app.add_flag("--list", flags.list,
               "List the records: number, shard, input, label, source; with --json an object each")
      ->group("Output");
  CLI::Option* out = app.add_option("--out", flags.out, "PNG file for --dump or --record")->group("Output");
  dump->needs(out)->excludes(record);
  record->needs(out);
  AddPageFlags(app, flags);
}

Report InspectFolderWithProgress(const std::filesystem::path& folder) {
  std::optional<gan::cli::ProgressBar> bar;
  return gan::inspect::InspectShardFolder(folder, [&](std::uint64_t done, std::uint64_t total) {
    if (!bar) bar.emplace("verify", total);
    bar->Update(done);
  });
}

Report Inspect(Kind kind, const std::filesystem::path& path) {
  switch (kind) {
    case Kind::kShard:
      return gan::inspect::InspectShard(path);
    case Kind::kShardFolder:
      return InspectFolderWithProgress(path);
    case Kind::kTensorFile:
      return gan::inspect::InspectTensorFile(path);
    case Kind::kCheckpoint:
      return gan::inspect::InspectCheckpoint(path);
    case Kind::kCheckpoints:
      return gan::inspect::InspectCheckpoints(path);
    case Kind::kRun:
      return gan::inspect::InspectRun(path);
    case Kind::kPicture:
      return gan::inspect::InspectPicture(path);
  }
  throw gan::DataError(path, "is of no known kind");
}

// The one line on stderr; the report on stdout has the rest.
void Complain(const Report& report) {
  std::string line = "gan-inspect: " + report.damage.front();
  if (report.damage_count > 1) line += " (and " + std::to_string(report.damage_count - 1) + " more findings)";
  std::cerr << line + "\n";
}

int ShowPage(const Flags& flags, Kind kind) {
  if (kind != Kind::kRun)
    throw gan::UsageError("--serve and --report: " + flags.path.string() + " is not a run folder");
  if (flags.serve) {
    gan::inspect::ServeRun(flags.path, flags.server);
    return gan::cli::kDone;
  }
  if (flags.report_file.empty()) throw gan::UsageError("--report: name the file to write after the run folder");
  gan::monitoring::WriteReport(flags.path, flags.report_file);
  std::cout << "wrote " + flags.report_file.string() + "\n";
  return gan::cli::kDone;
}

int Plot(const Flags& flags, Kind kind) {
  if (kind != Kind::kRun) throw gan::UsageError("--plot: " + flags.path.string() + " is no run folder");
  if (flags.report_file.empty()) throw gan::UsageError("--plot: name the file to write, OUT.png");
  gan::inspect::PlotRun(flags.path, flags.report_file);
  return gan::cli::kDone;
}

void RequirePictures(const Flags& flags, Kind kind) {
  const bool pictures = flags.dump > 0 || flags.record || flags.list;
  if (!flags.out.empty() && flags.dump == 0 && !flags.record) throw gan::UsageError("--out: needs --dump or --record");
  if (!pictures || kind == Kind::kShard || kind == Kind::kShardFolder) return;
  const char* flag = flags.list ? "--list: " : flags.record ? "--record: " : "--dump: ";
  throw gan::UsageError(flag + flags.path.string() + " holds no pictures; name a shard or a shard folder");
}

int Run(const Flags& flags) {
  const Kind kind = gan::inspect::Recognise(flags.path);
  RequirePictures(flags, kind);
  if (!flags.report_file.empty() && !flags.report && !flags.plot) {
    throw gan::UsageError("OUT " + flags.report_file.string() + ": needs --report or --plot");
  }
  if (flags.serve || flags.report) return ShowPage(flags, kind);
  if (flags.plot) return Plot(flags, kind);
  const Report report = Inspect(kind, flags.path);
  const bool list = flags.list && report.intact();  // in place of the report
  if (!list) std::cout << (flags.json ? ReportJson(report) : ReportText(report)) << std::flush;
  if (!report.intact()) {
    Complain(report);
    return gan::cli::kBadData;
  }
  if (list) gan::inspect::ListRecords(flags.path, flags.json, std::cout);
  if (flags.dump > 0) gan::inspect::DumpPictures(flags.path, flags.dump, flags.out);
  if (flags.record) gan::inspect::DumpRecord(flags.path, *flags.record, flags.out);
  return gan::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Says what a shard folder, a shard, a checkpoint or a run is, and whether it is intact.\n"
      "Ends with 3 when anything is damaged. Changes nothing.\n"
      "Examples: gan-inspect shards/\n"
      "          gan-inspect shards/shard-00000.gan --dump 64 --out pictures.png\n"
      "          gan-inspect shards/ --list\n"
      "          gan-inspect shards/ --record 17 --out 17.png\n"
      "          gan-inspect runs/00001 --json\n"
      "          gan-inspect grid.png\n"
      "          gan-inspect --serve runs/00001\n"
      "          gan-inspect --report runs/00001 report.html\n"
      "          gan-inspect --plot runs/00001 curves.png",
      "gan-inspect");
  Flags flags;
  AddFlags(app, flags);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  return gan::cli::RunMain(app, argc, argv, [&] { return Run(flags); });
}
