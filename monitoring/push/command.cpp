#include "monitoring/push/command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace gan::monitoring {

namespace {

using std::chrono::steady_clock;

constexpr const char* kVariable = "EQUIPOISE_ALERT_RUN";
// As an argument of the shell the command would be readable in /proc/PID/cmdline. Its environment is readable by its
// user alone, and without the variable the programs that the command starts do not inherit it.
constexpr const char* kScript = "c=$EQUIPOISE_ALERT_RUN; unset EQUIPOISE_ALERT_RUN; eval \"$c\"";

// The command must not get the secrets of this process.
bool IsPassedOn(const char* entry) {
  const std::string text = entry;
  return !text.starts_with("EQUIPOISE_ALERT_") && !text.starts_with("OTEL_EXPORTER_OTLP_");
}

// A file in memory: unlike a pipe it takes any input without a reader. Negative: errno has the reason.
int FileOf(const std::string& input) {
  const int file = ::memfd_create("alert", MFD_CLOEXEC);
  if (file < 0) return file;
  const ssize_t n = ::write(file, input.data(), input.size());
  if (n < std::ssize(input)) {
    const int why = n < 0 ? errno : ENOSPC;
    ::close(file);
    errno = why;
    return -1;
  }
  ::lseek(file, 0, SEEK_SET);
  return file;
}

struct Spawn {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  Spawn() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;
};

int Start(const std::string& command, int input, pid_t& process) {
  Spawn spawn;
  // The copy, unlike the file, stays open across exec.
  posix_spawn_file_actions_adddup2(&spawn.files, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&spawn.files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&spawn.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // The calling thread blocks all signals, and the process may ignore some. Both would be inherited.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&spawn.attributes, &none);
  posix_spawnattr_setsigdefault(&spawn.attributes, &all);
  posix_spawnattr_setflags(&spawn.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string carried = std::string(kVariable) + "=" + command;
  std::vector<char*> environment = {carried.data()};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (IsPassedOn(*entry)) environment.push_back(*entry);
  }
  environment.push_back(nullptr);
  std::string shell = "sh", flag = "-c", script = kScript;
  char* arguments[] = {shell.data(), flag.data(), script.data(), nullptr};
  return ::posix_spawn(&process, "/bin/sh", &spawn.files, &spawn.attributes, arguments, environment.data());
}

struct Running {
  std::mutex mutex;
  std::vector<pid_t> shells;  // guarded by mutex
};
Running& All() {
  static Running& all = *new Running;  // never destroyed: a thread may be running a command at the very end
  return all;
}

// A shell that is in the list before it can be seen.
class Shell {
 public:
  Shell(const std::string& command, int input) {
    const std::lock_guard lock(All().mutex);
    error_ = Start(command, input, process_);
    if (error_ == 0) All().shells.push_back(process_);
  }
  ~Shell() {
    const std::lock_guard lock(All().mutex);
    std::erase(All().shells, process_);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  int error() const { return error_; }
  pid_t process() const { return process_; }

 private:
  pid_t process_ = 0;
  int error_ = 0;
};

std::string InWords(int status) {
  if (WIFSIGNALED(status)) return "it ended by signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? "" : "its exit code was " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

// Another part of the program may reap all children (gan-launch does). Then the exit status is unknown, which does not
// count as a failure of the command.
std::string RunAlertCommand(const std::string& command, const std::string& input, std::chrono::milliseconds timeout,
                            const std::function<bool()>& is_stopping) {
  const int file = FileOf(input);
  if (file < 0) return std::generic_category().message(errno);
  const Shell shell(command, file);
  ::close(file);
  if (shell.error() != 0) return std::generic_category().message(shell.error());
  const pid_t process = shell.process();
  const auto deadline = steady_clock::now() + timeout;
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) return InWords(status);
    if (ended < 0 && errno == ECHILD) return "";
    if (is_stopping() || steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  // Negative: the whole process group, because killing the shell alone would leave its programs running.
  ::kill(-process, SIGKILL);
  ::waitpid(process, &status, 0);
  return "it did not end in time and was killed";
}

std::vector<pid_t> AlertCommands() {
  const std::lock_guard lock(All().mutex);
  return All().shells;
}

}  // namespace gan::monitoring
