// The page of a run: served during or after training, or written as one file.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "monitoring/http_server.h"
#include "monitoring/page/run_view.h"

namespace gan::monitoring {

// Adds paths to `server`: "/" is the page, "/run.json" its data, "/pictures/NAME" the image grids. Work is done only
// for requests, on the server's threads.
void ServePage(HttpServer& server, const std::shared_ptr<RunView>& run);

// The response to one of those paths, without its slash; "" is the page. `what` may come from a client.
HttpResponse RunResponse(RunView& run, std::string_view what);
// One of the pages in embedded_page.h, with its policy.
HttpResponse PageResponse(std::string_view head, std::string_view tail, std::string_view policy);

// Writes the page with its data and images as one file that needs no server. Atomic. At most `kReportGrids` grids of
// generated images are kept: the first, the newest and others spread evenly over the run; and the newest grid with the
// nearest training images. Throws IoError.
inline constexpr std::size_t kReportGrids = 16;
void WriteReport(const std::filesystem::path& run, const std::filesystem::path& out);

}  // namespace gan::monitoring
