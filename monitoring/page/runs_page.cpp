#include "monitoring/page/runs_page.h"

#include <algorithm>
#include <chrono>

#include "monitoring/background_thread.h"
#include "monitoring/page/embedded_page.h"
#include "monitoring/page/live_page.h"

namespace gan::monitoring {

namespace {

constexpr std::chrono::seconds kEvery{2};

HttpResponse NotFound() { return {404, "text/plain", "Not found.\n"}; }

// `rest`: "NAME/", "NAME/run.json" or "NAME/pictures/…".
HttpResponse OfRun(RunsView& runs, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return NotFound();
  const std::string_view what = rest.substr(slash + 1);
  const auto run = runs.Open(std::string(rest.substr(0, slash)));
  return run ? RunResponse(*run, what) : NotFound();
}

}  // namespace

RunsView::RunsView(const std::filesystem::path& root) : table_(root) {
  table_.Refresh();
  const SignalsLeftToOthers signals;
  thread_ = std::thread([this] { Watch(); });
}

RunsView::~RunsView() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

// Looks for new runs while the long files are still being read. While there is more to read, it does not wait, and only
// checks whether to end.
void RunsView::Watch() {
  auto looked = std::chrono::steady_clock::now();
  bool complete = false;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, complete ? kEvery : std::chrono::seconds(0), [this] { return done_; })) {
    // Unlocked, because reading takes long and Open() needs the lock to answer a request.
    lock.unlock();
    if (const auto now = std::chrono::steady_clock::now(); now - looked >= kEvery) {
      table_.Refresh();
      looked = now;
    }
    complete = table_.ReadMore();
    lock.lock();
  }
}

std::shared_ptr<RunView> RunsView::Open(const std::string& name) {
  const std::filesystem::path folder = table_.FolderOf(name);
  if (folder.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& run) { return run.first == name; });
  if (found != open_.end()) {
    // The list is in the order of use, so the last one is dropped first.
    open_.splice(open_.begin(), open_, found);
  } else {
    open_.emplace_front(name, std::make_shared<RunView>(folder, /*live=*/false));
    // A request that still uses the run keeps it alive through its shared pointer.
    if (open_.size() > kMostOpen) open_.pop_back();
  }
  return open_.front().second;
}

void ServeRunsPage(HttpServer& server, const std::shared_ptr<RunsView>& runs) {
  server.Handle("/", [] { return PageResponse(kRunsPageHead, kRunsPageTail, kRunsPagePolicy); });
  server.Handle("/runs.json",
                [runs] { return HttpResponse{.content_type = "application/json", .body = runs->table().JsonText()}; });
  server.HandleBelow("/curves/", [runs](std::string_view name) {
    return HttpResponse{.content_type = "application/json", .body = runs->table().CurveText(std::string(name))};
  });
  server.HandleBelow("/run/", [runs](std::string_view rest) { return OfRun(*runs, rest); });
}

}  // namespace gan::monitoring
