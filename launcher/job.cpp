// A launcher can die and leave its ranks, or stay when its ranks have ended. Poll() notices both, and Kill() ends all
// descendants of this process except the commands of alerts. It does not rely on the launcher to clean up.
#include "launcher/job.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include "monitoring/push/command.h"
#include "storage/errors.h"

namespace gan::launch {

namespace {

// How long mpirun may stay after its processes have ended.
constexpr std::chrono::seconds kPatienceWithoutRanks{5};

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

Ending EndingOf(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), true};
  return {WEXITSTATUS(status), false};
}

struct Process {
  pid_t id;
  bool ended;  // a zombie that its parent has not reaped yet
};

// The processes of this host that are visible, by their parent. The kernel offers no call for this, so /proc is read.
std::multimap<pid_t, Process> ProcessesByParent() {
  std::multimap<pid_t, Process> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text;
    std::getline(stat, text);
    const std::size_t end_of_name = text.rfind(')');  // the name may contain spaces and parentheses
    if (end_of_name == std::string::npos || text.size() < end_of_name + 4) continue;
    const long parent = std::strtol(text.c_str() + end_of_name + 4, nullptr, 10);
    const bool ended = text[end_of_name + 2] == 'Z';
    children.emplace(static_cast<pid_t>(parent), Process{static_cast<pid_t>(std::stol(name)), ended});
  }
  return children;
}

bool Contains(const std::vector<pid_t>& processes, pid_t process) {
  return std::find(processes.begin(), processes.end(), process) != processes.end();
}

// Includes processes whose own parent has ended: as a subreaper, this process inherits them. Leaves out those in
// `spared` with their descendants.
void CollectDescendants(const std::multimap<pid_t, Process>& children, pid_t of, const std::vector<pid_t>& spared,
                        std::vector<pid_t>& found) {
  const auto [first, last] = children.equal_range(of);
  for (auto child = first; child != last; ++child) {
    if (Contains(spared, child->second.id)) continue;
    found.push_back(child->second.id);
    CollectDescendants(children, child->second.id, spared, found);
  }
}

struct Children {
  bool any = false, living = false;
};
Children ChildrenOf(pid_t parent) {
  const auto processes = ProcessesByParent();
  const auto [first, last] = processes.equal_range(parent);
  return {first != last, std::any_of(first, last, [](const auto& child) { return !child.second.ended; })};
}

// Runs in the forked child: becomes the launcher, or reports the error code through the pipe `report`.
[[noreturn]] void ExecuteCommand(const std::vector<std::string>& command, int report, int errors) {
  // A blocked or ignored signal stays so across exec, so the mask and SIGPIPE are reset below: mpirun and the ranks
  // would otherwise not react to TERM. The allocations in this forked child are safe with glibc, whose fork() leaves
  // malloc usable even if other threads held its lock.
  ::dup2(errors, STDERR_FILENO);
  // INT from a terminal goes to its foreground group. mpirun and the ranks are in a separate group and do not get it,
  // so gan-launch decides what to do.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // if the supervisor dies, no other process would end this job
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  // A background process group must not read the terminal: a process that tries is stopped.
  if (const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t reported = ::write(report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

std::string Describe(const Ending& ending) {
  if (ending.by_signal) return "ended by signal " + std::to_string(ending.code - 128);
  return "ended with exit code " + std::to_string(ending.code);
}

void BecomeSupervisor() {
  const sigset_t set = Watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // the reader of the log may exit (| head); the job continues
  // Orphaned ranks become children of this process, so that Kill() finds them. Otherwise they would become children of
  // init, and nothing would show that they belong to this job.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

// Blocked signals stay pending until they are taken, so no signal is lost between a check of the job and this wait.
int WaitForSignal(std::chrono::milliseconds patience) {
  const sigset_t set = Watched();
  const struct timespec time = {patience.count() / 1000, patience.count() % 1000 * 1'000'000};
  const int signal = ::sigtimedwait(&set, nullptr, &time);
  return signal > 0 ? signal : 0;
}

// The pipe closes at a successful exec (O_CLOEXEC). If exec fails, the child sends its error code through it.
Job::Job(const std::vector<std::string>& command, int errors) : is_mpirun_(command.front() == "mpirun") {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) throw IoError(command.front(), "pipe", errno);
  launcher_ = ::fork();
  if (launcher_ == 0) ExecuteCommand(command, report[1], errors);
  ::close(report[1]);
  int error = launcher_ < 0 ? errno : 0;
  if (launcher_ > 0 && ::read(report[0], &error, sizeof error) != sizeof error) error = 0;
  ::close(report[0]);
  if (error == 0) return;
  if (launcher_ > 0) ::waitpid(launcher_, nullptr, 0);
  throw IoError(command.front(), "start", error);
}

Job::~Job() { Kill(); }

std::optional<Ending> Job::Poll() {
  int status = 0;
  pid_t ended = 0;
  const std::vector<pid_t> alerts = monitoring::AlertCommands();
  // All children, not the launcher alone: orphaned ranks become children of this process, and only this process reaps
  // them.
  while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (Contains(alerts, ended)) continue;  // its exit code says nothing about the job
    const Ending ending = EndingOf(status);
    // The exit code of a rank explains more than the launcher's signal.
    const bool explains_more = ending_ && ending_->by_signal && !ending.by_signal && ending.code != 0;
    if (ended == launcher_ || explains_more) ending_ = ending;
  }
  if (!ending_ && is_mpirun_) KillStuckLauncher();
  return ending_;
}

// Open MPI 4.1's mpirun uses freed memory when its ranks end while it shuts down (PMIx_server_finalize). In about one
// of several hundred aborted jobs it crashes or waits for ever. It also waits for ever for a host that has vanished.
// Its ranks on this host, and its ssh processes to other hosts (orte_leave_session_attached), are its children; so when
// it has none, the job has ended.
void Job::KillStuckLauncher() {
  const auto now = std::chrono::steady_clock::now();
  const Children children = ChildrenOf(launcher_);
  // A process that has ended but is not reaped counts here, so that a rank that ends at once is noticed.
  had_children_ |= children.any;
  if (children.living) {
    alone_since_.reset();
  } else if (had_children_ && !alone_since_) {
    alone_since_ = now;
  } else if (alone_since_ && now - *alone_since_ > kPatienceWithoutRanks) {
    ::kill(launcher_, SIGKILL);
  }
  // After a rank's exit code other than 0, mpirun sleeps for twice odls_base_sigkill_timeout although no rank is left.
  // A signal that it handles ends the current second of that sleep.
  if (alone_since_) ::kill(launcher_, SIGCHLD);
}

void Job::Signal(int signal) const {
  if (!ending_) ::kill(launcher_, signal);
}

void Job::Kill() {
  // Repeated until no process is left, because a process may fork while the others are being killed.
  while (true) {
    Poll();
    std::vector<pid_t> left;
    const auto children = ProcessesByParent();
    // The commands of alerts do not belong to the job; they report its end. The list of commands is read after that of
    // processes, so that it contains each of them.
    CollectDescendants(children, ::getpid(), monitoring::AlertCommands(), left);
    // Poll() reaps the killed processes in the next turn. Until then they are listed as zombies.
    if (left.empty()) return;
    for (const pid_t process : left) ::kill(process, SIGKILL);
    ::usleep(10'000);
  }
}

}  // namespace gan::launch
