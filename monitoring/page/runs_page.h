// The page of a folder of runs.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "monitoring/http_server.h"
#include "monitoring/page/run_view.h"
#include "monitoring/page/runs_table.h"

namespace gan::monitoring {

// Keeps a RunsTable up to date in its own thread, and keeps the complete data of the runs that were opened last.
// Thread-safe.
class RunsView {
 public:
  static constexpr std::size_t kMostOpen = 8;  // runs whose complete data is kept; each takes about a megabyte

  // Reads the small files of all runs before it returns, so that the first page has a table.
  explicit RunsView(const std::filesystem::path& root);
  ~RunsView();
  RunsView(const RunsView&) = delete;
  RunsView& operator=(const RunsView&) = delete;

  const RunsTable& table() const { return table_; }
  // The complete data of one run; null when the table has no run of this name, which may come from a client.
  std::shared_ptr<RunView> Open(const std::string& name);

 private:
  void Watch();

  RunsTable table_;
  std::mutex mutex_;  // guards all members below
  std::condition_variable wake_;
  bool done_ = false;
  std::list<std::pair<std::string, std::shared_ptr<RunView>>> open_;  // the run that was opened last is first
  std::thread thread_;                                                // last: it uses all members above
};

// Adds paths to `server`: "/" is the page of runs, "/runs.json" its table, "/curves/NAME" one number of all runs, and
// "/run/NAME/" the page of a run with its data and images.
void ServeRunsPage(HttpServer& server, const std::shared_ptr<RunsView>& runs);

}  // namespace gan::monitoring
