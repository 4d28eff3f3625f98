// Selects the command by the first word. Each command has its own CLI::App, so that --help, --config and --print-config
// show only its flags. Without a command, the flags of earlier versions apply (inspect/plain.h).
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "cli/build_facts.h"
#include "cli/help.h"
#include "cli/main.h"
#include "inspect/commands.h"
#include "inspect/plain.h"

namespace {

using gan::inspect::Command;
using gan::inspect::CommandFlags;

// The description of gan-inspect in --help, including the list of commands.
std::string Description() {
  std::string text =
      "Reports what a shard folder, a shard, a checkpoint or a run contains, and\n"
      "whether it is intact. The exit code is 3 when anything is damaged.\n"
      "Nothing is changed.\n\n"
      "Commands:\n";
  for (const Command& command : gan::inspect::Commands()) {
    std::string line = "  " + std::string(command.name) + " " + std::string(command.arguments);
    line.resize(std::max<std::size_t>(line.size() + 1, 28), ' ');
    text += line + std::string(command.summary) + "\n";
  }
  return text +
         "gan-inspect COMMAND --help lists the flags of a command.\n"
         "gan-inspect PATH is short for gan-inspect verify PATH.\n\n"
         "Examples:\n"
         "  $ gan-inspect shards/\n"
         "  $ gan-inspect verify runs/00001 --json\n"
         "  $ gan-inspect dump shards/ images.png --count 64\n"
         "  $ gan-inspect plot runs/00001 curves.png\n"
         "  $ gan-inspect serve runs/00001\n"
         "  $ gan-inspect list runs/ --json";
}

// A file or folder may have the name of a command. When it is the only argument, it is the path, as in versions without
// commands.
const Command* ChosenCommand(int argc, char** argv) {
  if (argc < 2) return nullptr;
  if (argc == 2 && std::filesystem::exists(argv[1])) return nullptr;
  return gan::inspect::FindCommand(argv[1]);
}

int RunCommand(const Command& command, int argc, char** argv) {
  CLI::App app(std::string(command.summary), "gan-inspect " + std::string(command.name));
  CommandFlags flags;
  command.declare(app, flags);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  // The word of the command replaces the program's name.
  return gan::cli::RunMain(app, argc - 1, argv + 1, [&] { return command.run(flags); });
}

// The flags of every command, for --help-all and for the manual page, which is generated from it.
std::string HelpOnCommands() {
  std::string text;
  for (const Command& command : gan::inspect::Commands()) {
    CLI::App app(std::string(command.summary), "gan-inspect " + std::string(command.name));
    CommandFlags flags;
    command.declare(app, flags);
    // Every command has --help, so it need not be listed six times.
    app.set_help_flag();
    for (CLI::Option* option : app.get_options()) option->group("Flags");
    app.formatter(std::make_shared<gan::cli::HelpFormatter>());
    text += "\n" + app.help();
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (const Command* command = ChosenCommand(argc, argv)) return RunCommand(*command, argc, argv);
  CLI::App app(Description(), "gan-inspect");
  gan::inspect::PlainFlags flags;
  gan::inspect::AddPlainFlags(app, flags);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  const int code = gan::cli::RunMain(app, argc, argv, [&] { return gan::inspect::RunPlain(flags); });
  if (code == gan::cli::kDone && app.get_help_all_ptr()->count() > 0) std::cout << HelpOnCommands();
  return code;
}
