// The commands of gan-inspect: one row each.
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

// The flags of all commands; each command declares those that it reads.
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
  std::string_view arguments;  // as the list of commands shows them
  std::string_view summary;
  void (*declare)(CLI::App& app, CommandFlags& flags);
  int (*run)(const CommandFlags& flags);  // returns the exit code; throws UsageError, DataError
};

std::span<const Command> Commands();
const Command* FindCommand(std::string_view name);  // nullptr when there is none

// What the commands do, for inspect/plain.cpp as well. They print to stdout and return the exit code.
// Verify: the report; 3 and one line on stderr when anything is damaged.
int Verify(const std::filesystem::path& path, bool as_json);
// The records of an intact shard or shard folder; of a damaged one the report, and 3.
int List(const std::filesystem::path& path, bool as_json);
int Serve(const std::filesystem::path& run, const ServeOptions& options);
int WriteRunReport(const std::filesystem::path& run, const std::filesystem::path& html);
int Plot(const std::filesystem::path& run, const std::filesystem::path& png);

// Throws UsageError when `path` is neither a shard nor a shard folder; the message begins with `flag`.
void RequirePictures(const std::filesystem::path& path, const std::string& flag);

}  // namespace gan::inspect
