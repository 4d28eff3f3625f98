// gan-inspect without a command: the report on PATH, and the flags that existed before there were commands. Those flags
// still work but --help does not show them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>

#include "inspect/serve.h"

namespace gan::inspect {

struct PlainFlags {
  std::filesystem::path path;
  bool json = false;
  // Hidden flags.
  std::uint32_t dump = 0;
  std::optional<std::uint64_t> record;
  bool list = false;
  std::filesystem::path out;
  bool serve = false;
  bool report = false;
  bool plot = false;
  std::filesystem::path report_file;
  ServeOptions server;
};

void AddPlainFlags(CLI::App& app, PlainFlags& flags);
// Returns the exit code. Throws UsageError, DataError.
int RunPlain(const PlainFlags& flags);

}  // namespace gan::inspect
