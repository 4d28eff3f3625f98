// The commands of gan-inspect, one table row per command.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "inspect/serve.h"

namespace gan::inspect {

// The flags of all commands. Each command declares those that it reads.
struct CommandFlags {
  std::filesystem::path path;
  std::filesystem::path out;
  bool json = false;
  std::uint32_t count = 64;
  std::optional<std::uint64_t> record;
  ServeOptions server;
};

struct Command {
  std::string_view name;
  std::string_view arguments;  // as shown in the list of commands
  std::string_view summary;
  void (*declare)(CLI::App& app, CommandFlags& flags);
  int (*run)(const CommandFlags& flags);  // returns the exit code; throws UsageError, DataError
};

std::span<const Command> Commands();
const Command* FindCommand(std::string_view name);  // nullptr when there is none

// The implementation of the commands, also used by inspect/plain.cpp. Each prints to stdout and returns the exit code.
// Verify prints the report. When something is damaged, it adds one line on stderr and returns 3.
int Verify(const std::filesystem::path& path, bool as_json);
// Lists the records of a shard or shard folder, or the runs of a folder. When a shard is damaged, prints the report and
// returns 3.
int List(const std::filesystem::path& path, bool as_json);
// `run`: a run folder or a folder of runs.
int Serve(const std::filesystem::path& run, const ServeOptions& options);
int WriteRunReport(const std::filesystem::path& run, const std::filesystem::path& html);
int Plot(const std::filesystem::path& run, const std::filesystem::path& png);

// Throws UsageError when `path` is neither a shard nor a shard folder; the message begins with `flag`.
void RequirePictures(const std::filesystem::path& path, const std::string& flag);

}  // namespace gan::inspect
