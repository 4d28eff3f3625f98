#pragma once

#include <filesystem>
#include <string>

namespace gan::inspect {

struct ServeOptions {
  std::string address = "127.0.0.1";
  int port = 9480;            // 0 picks a free port
  std::string password_file;  // one line "user:password"; empty: no password is required
};

// Serves the page of a run folder, of a finished or a running run, until SIGINT or SIGTERM. Prints the URL to stdout.
// Changes nothing in the folder. Throws UsageError when it cannot listen.
void ServeRun(const std::filesystem::path& run, const ServeOptions& options);
// Serves the page of all runs in a folder in the same way.
void ServeRuns(const std::filesystem::path& root, const ServeOptions& options);

}  // namespace gan::inspect
