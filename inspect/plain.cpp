#include "inspect/plain.h"

#include <string>

#include "cli/flags.h"
#include "cli/main.h"
#include "inspect/commands.h"
#include "inspect/dump.h"
#include "inspect/kind.h"
#include "inspect/records.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::inspect {

namespace {

// Each hidden flag needs and excludes the same flags as the command that replaced it.
void AddPictureFlags(CLI::App& app, PlainFlags& flags) {
  CLI::Option* out = app.add_option("--out", flags.out);
  CLI::Option* dump = app.add_option("--dump", flags.dump)->check(CLI::Range(1, 10000))->needs(out);
  CLI::Option* record = app.add_option("--record", flags.record)->needs(out)->excludes(dump);
  CLI::Option* list = app.add_flag("--list", flags.list);
  for (CLI::Option* option : {out, dump, record, list}) cli::Hide(option);
}

// The flags of the commands report, plot and serve.
void AddPageFlags(CLI::App& app, PlainFlags& flags) {
  CLI::Option* serve = app.add_flag("--serve", flags.serve);
  CLI::Option* report = app.add_flag("--report", flags.report)->excludes(serve);
  CLI::Option* plot = app.add_flag("--plot", flags.plot)->excludes(serve)->excludes(report);
  CLI::Option* file = app.add_option("OUT", flags.report_file);
  CLI::Option* address = app.add_option("--address", flags.server.address)->needs(serve)->capture_default_str();
  CLI::Option* port = app.add_option("--port", flags.server.port)->needs(serve)->check(CLI::Range(0, 65535));
  port->capture_default_str();
  CLI::Option* password = app.add_option("--password-file", flags.server.password_file)->needs(serve);
  for (CLI::Option* option : {serve, report, plot, file, address, port, password}) cli::Hide(option);
}

// Combinations that CLI11's needs() and excludes() cannot express.
void RequireWhatBelongsTogether(const PlainFlags& flags) {
  if (!flags.out.empty() && flags.dump == 0 && !flags.record) throw UsageError("--out: needs --dump or --record");
  if (!flags.out.empty()) storage::RequireWritable("--out", flags.out);
  if (flags.dump > 0) RequirePictures(flags.path, "--dump: ");
  if (flags.record) RequirePictures(flags.path, "--record: ");
  if (flags.list) RequirePictures(flags.path, "--list: ");
  if (!flags.report_file.empty() && !flags.report && !flags.plot) {
    throw UsageError("OUT " + flags.report_file.string() + ": needs --report or --plot");
  }
  if (flags.report_file.empty() && flags.report) {
    throw UsageError("--report: name the file to write after the run folder");
  }
  if (flags.report_file.empty() && flags.plot) throw UsageError("--plot: name the file to write, OUT.png");
}

}  // namespace

void AddPlainFlags(CLI::App& app, PlainFlags& flags) {
  app.add_option("PATH", flags.path,
                 "Shard folder, shard, checkpoint, .safetensors file, run folder or image (.png, .webp, .mp4).")
      ->required();
  app.add_flag("--json", flags.json, "Print the report as one JSON object.");
  AddPictureFlags(app, flags);
  AddPageFlags(app, flags);
}

// The report comes first, so that images of a damaged shard are not written.
int RunPlain(const PlainFlags& flags) {
  Recognise(flags.path);  // reports a missing path before any other error
  RequireWhatBelongsTogether(flags);
  if (flags.serve) return Serve(flags.path, flags.server);
  if (flags.report) return WriteRunReport(flags.path, flags.report_file);
  if (flags.plot) return Plot(flags.path, flags.report_file);
  const int code = flags.list ? List(flags.path, flags.json) : Verify(flags.path, flags.json);
  if (code != cli::kDone) return code;
  if (flags.dump > 0) DumpPictures(flags.path, flags.dump, flags.out);
  if (flags.record) DumpRecord(flags.path, *flags.record, flags.out);
  return code;
}

}  // namespace gan::inspect
