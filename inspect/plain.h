// gan-inspect without a command: the report on PATH, and the flags from before there were commands. Those are hidden
// from --help and work as they did.
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
  // Hidden.
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
