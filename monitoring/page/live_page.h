// The page: served while a run goes on or afterwards, or written as one file.
#pragma once

#include <filesystem>
#include <memory>

#include "monitoring/http_server.h"
#include "monitoring/page/run_view.h"

namespace gan::monitoring {

// Adds to `server`: "/" the page, "/run.json" its data, "/pictures/NAME" the grids. Nothing is done until somebody
// asks, and then on the server's threads.
void ServePage(HttpServer& server, const std::shared_ptr<RunView>& run);

// The page with its data and pictures inside, readable without a server: written whole or not at all. Of many grids of
// fakes, `kReportGrids` spread over the run are kept, the first and the newest among them. Throws IoError.
inline constexpr std::size_t kReportGrids = 16;
void WriteReport(const std::filesystem::path& run, const std::filesystem::path& out);

}  // namespace gan::monitoring
