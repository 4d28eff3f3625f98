#include "inspect/commands.h"

#include <iostream>

#include "cli/flags.h"
#include "cli/main.h"
#include "cli/printable.h"
#include "cli/progress.h"
#include "inspect/checkpoints.h"
#include "inspect/dump.h"
#include "inspect/kind.h"
#include "inspect/list_runs.h"
#include "inspect/pictures.h"
#include "inspect/plot.h"
#include "inspect/records.h"
#include "inspect/runs.h"
#include "inspect/shards.h"
#include "monitoring/page/live_page.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::inspect {

namespace fs = std::filesystem;

namespace {

// The bar is created at the first call, when the number of bytes is known.
Report InspectFolderWithProgress(const fs::path& folder) {
  std::optional<cli::ProgressBar> bar;
  return InspectShardFolder(folder, [&](std::uint64_t done, std::uint64_t total) {
    if (!bar) bar.emplace("verify", total);
    bar->Update(done);
  });
}

// Makes the report that belongs to the kind of file or folder.
Report Inspect(const fs::path& path) {
  switch (Recognise(path)) {
    case Kind::kShard:
      return InspectShard(path);
    case Kind::kShardFolder:
      return InspectFolderWithProgress(path);
    case Kind::kTensorFile:
      return InspectTensorFile(path);
    case Kind::kCheckpoint:
      return InspectCheckpoint(path);
    case Kind::kCheckpoints:
      return InspectCheckpoints(path);
    case Kind::kRun:
      return InspectRun(path);
    case Kind::kRuns:
      throw UsageError(path.string() + " is a folder of runs: name one of them, or use gan-inspect list or serve");
    case Kind::kPicture:
      return InspectPicture(path);
  }
  throw DataError(path, "is of no known kind");
}

// Prints the report on stdout and, when something is damaged, one line on stderr.
int Print(const Report& report, bool as_json) {
  std::cout << (as_json ? ReportJson(report) : ReportText(report)) << std::flush;
  if (report.intact()) return cli::kDone;
  std::string line = "gan-inspect: " + cli::Printable(report.damage.front());
  if (report.damage_count > 1) line += " (and " + storage::Counted(report.damage_count - 1, "more finding") + ")";
  std::cerr << line + "\n";
  return cli::kBadData;
}

// The commands on runs read several files, so a wrong path is rejected before any of them.
void RequireRun(const fs::path& path) {
  if (Recognise(path) != Kind::kRun) throw UsageError(path.string() + " is not a run folder");
}

// Writes one image in its own size, or a grid of the first images.
int Dump(const CommandFlags& flags) {
  RequirePictures(flags.path, "");
  // Checked before the images are read, which takes long on a large data set.
  storage::RequireWritable("OUT", flags.out);
  if (flags.record) {
    DumpRecord(flags.path, *flags.record, flags.out);
  } else {
    DumpPictures(flags.path, flags.count, flags.out);
  }
  std::cout << "wrote " + flags.out.string() + "\n";
  return cli::kDone;
}

// Every command has a path. The name of the argument shows its kind.
void AddPath(CLI::App& app, CommandFlags& flags, const std::string& name, const std::string& help) {
  app.add_option(name, flags.path, help)->required();
}

void AddOut(CLI::App& app, CommandFlags& flags, const std::string& help) {
  app.add_option("OUT", flags.out, help)->required();
}

// The functions Declare… add the flags of one command; the table below names them.
void DeclareVerify(CLI::App& app, CommandFlags& flags) {
  AddPath(app, flags, "PATH",
          "Shard folder, shard, checkpoint, .safetensors file, run folder or image (.png, .webp, .mp4).");
  app.add_flag("--json", flags.json, "Print the report as one JSON object.");
}

void DeclareList(CLI::App& app, CommandFlags& flags) {
  AddPath(app, flags, "PATH", "Shard folder, shard, or folder of runs.");
  app.add_flag("--json", flags.json, "Print each record or run as a JSON object of its own line.");
}

void DeclareDump(CLI::App& app, CommandFlags& flags) {
  AddPath(app, flags, "PATH", "Shard folder or shard.");
  AddOut(app, flags, "PNG file to write.");
  CLI::Option* count = app.add_option("--count", flags.count, "Draw a grid of the first N images.")
                           ->check(CLI::Range(1, 10000))
                           ->capture_default_str();
  app.add_option("--record", flags.record,
                 "Write only the image of record N, unscaled. gan-inspect list shows the numbers.")
      ->excludes(count);
}

void DeclarePlot(CLI::App& app, CommandFlags& flags) {
  AddPath(app, flags, "RUN", "Run folder.");
  AddOut(app, flags, "PNG file to write.");
}

void DeclareReport(CLI::App& app, CommandFlags& flags) {
  AddPath(app, flags, "RUN", "Run folder.");
  AddOut(app, flags, "HTML file to write.");
}

void DeclareServe(CLI::App& app, CommandFlags& flags) {
  AddPath(app, flags, "RUN", "Folder of a finished or a running run, or a folder of runs.");
  const auto add = [&app](const std::string& name, std::string& value, const std::string& help) {
    return app.add_option(name, value, help)->capture_default_str();
  };
  app.add_option("--port", flags.server.port, "Port to listen on; 0 picks a free port.")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  cli::AddAddressFlags(add, "--", flags.server.address, flags.server.password_file);
}

// The order is that of the list in --help.
constexpr Command kCommands[] = {
    {"verify", "PATH", "Report the content of PATH and check every checksum.", DeclareVerify,
     [](const CommandFlags& flags) { return Verify(flags.path, flags.json); }},
    {"list", "PATH", "List a data set's records, or a folder's runs.", DeclareList,
     [](const CommandFlags& flags) { return List(flags.path, flags.json); }},
    {"dump", "PATH OUT.png", "Draw the images of a data set.", DeclareDump, Dump},
    {"plot", "RUN OUT.png", "Draw the curves of a run.", DeclarePlot,
     [](const CommandFlags& flags) { return Plot(flags.path, flags.out); }},
    {"report", "RUN OUT.html", "Write the page of a run as one file.", DeclareReport,
     [](const CommandFlags& flags) { return WriteRunReport(flags.path, flags.out); }},
    {"serve", "RUN", "Serve the page of a run over HTTP.", DeclareServe,
     [](const CommandFlags& flags) { return Serve(flags.path, flags.server); }},
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

const Command* FindCommand(std::string_view name) {
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

int Verify(const fs::path& path, bool as_json) { return Print(Inspect(path), as_json); }

// A damaged shard is not listed: its names and labels could be wrong.
int List(const fs::path& path, bool as_json) {
  if (Recognise(path) == Kind::kRuns) {
    ListRuns(path, as_json, std::cout);
    return cli::kDone;
  }
  RequirePictures(path, "");
  const Report report = Inspect(path);
  if (!report.intact()) return Print(report, as_json);
  ListRecords(path, as_json, std::cout);
  return cli::kDone;
}

int Serve(const fs::path& run, const ServeOptions& options) {
  if (Recognise(run) == Kind::kRuns) {
    ServeRuns(run, options);
    return cli::kDone;
  }
  RequireRun(run);
  ServeRun(run, options);
  return cli::kDone;
}

int WriteRunReport(const fs::path& run, const fs::path& html) {
  RequireRun(run);
  storage::RequireWritable("OUT", html);
  monitoring::WriteReport(run, html);
  std::cout << "wrote " + html.string() + "\n";
  return cli::kDone;
}

int Plot(const fs::path& run, const fs::path& png) {
  RequireRun(run);
  storage::RequireWritable("OUT", png);
  PlotRun(run, png);
  return cli::kDone;
}

void RequirePictures(const fs::path& path, const std::string& flag) {
  const Kind kind = Recognise(path);
  if (kind == Kind::kShard || kind == Kind::kShardFolder) return;
  throw UsageError(flag + path.string() + " contains no images; name a shard or a shard folder");
}

}  // namespace gan::inspect
