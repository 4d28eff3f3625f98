#pragma once

#include <filesystem>
#include <string>

namespace gan::inspect {

struct ServeOptions {
  std::string address = "127.0.0.1";
  int port = 9480;            // 0 picks a free one
  std::string password_file;  // one line "user:password"; empty: no password is required
};

// Serves the page of a run folder, finished or not, until SIGINT or SIGTERM. Prints the URL to stdout. Changes nothing.
// Throws UsageError when it cannot listen.
void ServeRun(const std::filesystem::path& run, const ServeOptions& options);

}  // namespace gan::inspect
