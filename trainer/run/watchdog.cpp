#include "trainer/run/watchdog.h"

#include <execinfo.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "trainer/distributed/collective_note.h"

namespace gan::run {

namespace fs = std::filesystem;

namespace {

using std::chrono::steady_clock;

// The interval at which the thread checks for signs of life.
constexpr std::chrono::milliseconds kGlance{100};

// Written before a signal is sent and read by its handler, hence atomic.
std::atomic<int> stacks_file{2};
std::atomic<std::uint64_t> stacks_written{0};

// SIGRTMAX - 1 is used by neither MPI nor the C library nor LibTorch.
int StackSignal() { return SIGRTMAX - 1; }

// Runs in a signal handler on the thread whose stack is wanted. Both functions allocate no memory.
void WriteOwnStack(int /*signal*/) {
  std::array<void*, 64> frames{};
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), count, stacks_file);
  ++stacks_written;
}

void PrepareStacks() {
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);  // the first call loads a library, which must not happen in a signal handler
  struct sigaction action = {};
  action.sa_handler = WriteOwnStack;
  action.sa_flags = SA_RESTART | SA_ONSTACK;  // a thread may hang where its stack is nearly full
  sigemptyset(&action.sa_mask);
  ::sigaction(StackSignal(), &action, nullptr);
}

// Read from /proc, because threads of libraries are unknown to this program.
std::vector<pid_t> OtherThreads() {
  std::vector<pid_t> threads;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/self/task", error)) {
    const pid_t thread = std::atoi(entry.path().filename().c_str());
    if (thread != ::gettid()) threads.push_back(thread);
  }
  std::sort(threads.begin(), threads.end());  // puts the main thread first
  return threads;
}

void WriteText(int file, const std::string& text) {
  [[maybe_unused]] const ssize_t n =
      ::write(file, text.data(), text.size());  // ignored, because the process ends in any case
}

// One thread at a time, so that the stacks do not mix. A thread that does not answer within a second is skipped.
void WriteAllStacks() {
  for (const pid_t thread : OtherThreads()) {
    WriteText(stacks_file, "thread " + std::to_string(thread) + "\n");
    const std::uint64_t before = stacks_written;
    if (::syscall(SYS_tgkill, ::getpid(), thread, StackSignal()) != 0) continue;
    for (int wait = 0; wait < 100 && stacks_written == before; ++wait) std::this_thread::sleep_for(kGlance / 10);
  }
}

const char* NameOf(Section section) {
  constexpr std::array<const char*, 4> kNames = {"start", "step", "save", "evaluate"};
  return kNames[static_cast<std::size_t>(section)];
}

}  // namespace

bool HasLauncher() {
  // SLURM_PROCID is not used, because it is also set in sbatch scripts, which are not a launcher.
  return std::ranges::any_of(std::array{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"},
                             [](const char* name) { return std::getenv(name) != nullptr; });
}

Watchdog::Watchdog(const WatchdogOptions& options, int rank)
    : options_(options),
      rank_(rank),
      parent_(::getppid()),
      board_(storage::RankBoard::OfLauncher()),
      slot_(board_.Slot(static_cast<std::size_t>(rank))) {
  PrepareStacks();
  slot_.Begin();
  slot_.SetSection(NameOf(Section::kStart));
  distributed::NoteCollectivesIn(&board_, static_cast<std::size_t>(rank));
  thread_ = std::thread([this] { Watch(); });
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
  distributed::NoteCollectivesIn(nullptr);
}

// Two atomics instead of a lock: it is called in every step.
void Watchdog::Enter(Section section) {
  if (section_.exchange(section) != section) slot_.SetSection(NameOf(section));
  ++signs_;
}

void Watchdog::SetFolder(const fs::path& run) {
  const std::lock_guard lock(mutex_);
  folder_ = run;
}

void Watchdog::SetOnSilence(std::function<void(const Silence&)> on_silence) {
  const std::lock_guard lock(mutex_);
  on_silence_ = std::move(on_silence);
}

void Watchdog::Tell(Section section, double seconds, bool is_ending) {
  if (on_silence_ && (is_ending || !std::exchange(told_, true))) on_silence_({NameOf(section), seconds, is_ending});
}

std::uint64_t Watchdog::LimitOf(Section section) const {
  switch (section) {
    case Section::kStart:
      return options_.start_seconds;
    case Section::kStep:
      return options_.step_seconds;
    case Section::kSave:
      return options_.save_seconds;
    case Section::kEvaluate:
      return options_.evaluate_seconds;
  }
  return 0;
}

void Watchdog::Watch() {
  std::uint64_t seen = 0;
  std::chrono::duration<double> silent{0};
  auto last = steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kGlance, [this] { return done_; })) {
    const auto now = steady_clock::now();
    // A very late wake-up means that this thread did not run either: the process was stopped and is not hanging.
    silent += std::min<std::chrono::duration<double>>(now - last, 10 * kGlance);
    last = now;
    const std::uint64_t signs = signs_;
    if (signs != seen) {
      silent = std::chrono::duration<double>{0};
      told_ = false;
    }
    seen = signs;
    slot_.Beat();
    const Section section = section_;
    const std::uint64_t limit = LimitOf(section);
    if (limit > 0 && 2 * silent.count() > static_cast<double>(limit)) Tell(section, silent.count(), false);
    if (limit > 0 && silent.count() > static_cast<double>(limit)) End(section, silent);
    // The parent changes when the launcher dies.
    if (options_.has_launcher && ::getppid() != parent_) EndWithoutLauncher();
  }
}

void Watchdog::EndWithoutLauncher() const {
  // _exit, because the destructors of a rank that hangs or has lost its launcher would wait for ranks that never come.
  WriteText(2, "gan-train: [rank " + std::to_string(rank_) + "] the launcher has died; ending\n");
  ::_exit(1);
}

void Watchdog::End(Section section, std::chrono::duration<double> silent) {
  // First of all, while the other ranks are still in the place where this one waited for them.
  board_.TakeSnapshot();
  char name[64];
  std::snprintf(name, sizeof name, "stacks-rank-%05d.txt", rank_);
  const fs::path path = folder_ / name;
  int file = -1;
  if (!folder_.empty()) {
    file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  }
  if (file >= 0) stacks_file = file;
  char line[256];
  std::snprintf(line, sizeof line,
                "gan-train: [rank %d] no sign of life for %.1f s in section %s; stacks in %s, ending\n", rank_,
                silent.count(), NameOf(section), file >= 0 ? path.c_str() : "this log");
  WriteText(2, line);
  WriteText(stacks_file, line);
  WriteAllStacks();
  if (file >= 0) ::fsync(file);
  Tell(section, silent.count(), true);
  ::_exit(1);
}

}  // namespace gan::run
