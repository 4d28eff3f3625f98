#include "inspect/serve.h"

#include <csignal>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>

#include "monitoring/http_access.h"
#include "monitoring/page/live_page.h"
#include "monitoring/page/runs_page.h"
#include "storage/errors.h"

namespace gan::inspect {

namespace {

std::unique_ptr<monitoring::HttpServer> Listen(const ServeOptions& options) {
  const std::string credentials =
      options.password_file.empty() ? std::string() : monitoring::ReadCredentials(options.password_file);
  const std::string warning = monitoring::OpenAccessWarning({.listens_on = options.address,
                                                             .reached_at = monitoring::ReachableHost(options.address),
                                                             .credentials = credentials,
                                                             .shows = "this run",
                                                             .password_flag = "--password-file"});
  if (!warning.empty()) std::cerr << "gan-inspect: warning: " + warning + "\n";
  try {
    return std::make_unique<monitoring::HttpServer>(options.address, options.port, credentials);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string(error.what()) + "; choose another --port, or 0 for any free port");
  }
}

// `add_pages` may start threads.
void ServeUntilEnded(const ServeOptions& options, const std::function<void(monitoring::HttpServer&)>& add_pages) {
  // Blocked before any thread starts, so that only sigwait() receives them.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  // Before the pages, so that a port in use is reported before a large folder of runs is read.
  const auto server = Listen(options);
  add_pages(*server);
  std::cout << "http://" + server->address() + "/  (Ctrl-C ends it)" << std::endl;
  int signal = 0;
  sigwait(&ending, &signal);
}

}  // namespace

void ServeRun(const std::filesystem::path& run, const ServeOptions& options) {
  ServeUntilEnded(options, [&](monitoring::HttpServer& server) {
    monitoring::ServePage(server, std::make_shared<monitoring::RunView>(run, /*live=*/false));
  });
}

void ServeRuns(const std::filesystem::path& root, const ServeOptions& options) {
  ServeUntilEnded(options, [&](monitoring::HttpServer& server) {
    monitoring::ServeRunsPage(server, std::make_shared<monitoring::RunsView>(root));
  });
}

}  // namespace gan::inspect
