#include "launcher/launcher_words.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <regex>
#include <span>
#include <sstream>
#include <string_view>

#include "cli/main.h"

namespace gan::launch {

namespace {

// How mpirun of Open MPI 5 and of 4 says that its daemon on another host is gone, and with it all ranks there.
constexpr std::string_view kLostDaemon[] = {"lost communication with a remote daemon",
                                            "lost communication with the daemon"};

bool ContainsOneOf(const std::string& text, std::span<const std::string_view> signs) {
  return std::ranges::any_of(signs, [&](std::string_view sign) { return text.find(sign) != std::string::npos; });
}

// Slurm prints the C library's name of the signal instead of its number, and "Out Of Memory" for a kill by the kernel.
int SignalNamed(const std::string& words) {
  for (const int signal : {SIGKILL, SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGTERM}) {
    if (words == ::strsignal(signal)) return signal;
  }
  return SIGKILL;
}

}  // namespace

std::string WithShortLines(const std::string& text) {
  constexpr std::size_t kLongest = 4096;
  std::string out;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) out += line.substr(0, kLongest) + "\n";
  return out;
}

std::optional<int> RankThatEnded(const std::string& text) {
  // MPI_Abort prints the rank in both versions of Open MPI. Without it ORTE (Open MPI 4) names a rank as
  // [[job,1],RANK], PRRTE (5) as [prterun-HOST-…,RANK], and Slurm as a task.
  static const std::regex kForms[] = {
      std::regex(R"(MPI_ABORT was invoked on rank (\d{1,8}))"),
      std::regex(R"(Process name: \[\[?[^,\]]*,\d+\],\s*(\d{1,8})\])"),
      std::regex(R"(Process name: \[prterun-[^,\]]*,(\d{1,8})\])"),
      std::regex(R"(srun: error: \S+: tasks? (\d{1,8})[-,\d]*: Exited)"),
  };
  std::smatch match;
  for (const std::regex& form : kForms) {
    if (std::regex_search(text, match, form)) return std::stoi(match[1]);
  }
  return std::nullopt;
}

std::optional<SignalledRank> RankThatWasSignalled(const std::string& text) {
  // "on\\s+signal", because PRRTE breaks the line there.
  static const std::regex kMpirun(R"(process rank (\d{1,8}) with PID \d+ on node (\S+) exited on\s+signal (\d{1,8}))");
  // If several tasks of a host end together, as in "tasks 2-3,5", the first is named. srun itself kills the tasks that
  // are left after one has exited with an error.
  static const std::regex kSrun[] = {
      std::regex(
          R"(srun: error: (\S+): tasks? (\d{1,8})[-,\d]*: (Out Of Memory|Bus error|Segmentation fault|Aborted)\b)"),
      std::regex(R"(srun: error: (\S+): tasks? (\d{1,8})[-,\d]*: (Killed|Exited)\b)")};
  std::smatch match;
  if (std::regex_search(text, match, kMpirun)) return SignalledRank{std::stoi(match[1]), match[2], std::stoi(match[3])};
  for (const std::regex& form : kSrun) {
    if (!std::regex_search(text, match, form)) continue;
    if (match[3] == "Exited") return std::nullopt;
    return SignalledRank{std::stoi(match[2]), match[1], SignalNamed(match[3])};
  }
  return std::nullopt;
}

bool SpeaksOfALostHost(const std::string& text) {
  constexpr std::string_view kOthers[] = {"Node failure on", "ssh: connect to host",
                                          "Timeout, server"};  // the last is ssh's keep-alive
  return ContainsOneOf(text, kLostDaemon) || ContainsOneOf(text, kOthers);
}

std::string HostNamedIn(const std::string& text) {
  static const std::regex kForms[] = {std::regex(R"(Remote (?:node|host|daemon)[^\n]*on node\s+(\S+))"),
                                      std::regex(R"(Timeout, server (\S+) not responding)"),
                                      std::regex(R"(ssh: connect to host (\S+))")};
  std::smatch match;
  for (const std::regex& form : kForms) {
    if (std::regex_search(text, match, form)) return match[1];
  }
  return "";
}

Ending EndingToldBy(const std::string& text, const Ending& ending) {
  static const std::regex kForms[] = {std::regex(R"(MPI_ABORT was invoked on rank [^\n]*\nwith errorcode (\d{1,3})\b)"),
                                      std::regex(R"(Process name: [^\n]*\n\s*Exit code:\s+(\d{1,3})\b)")};
  if (!ending.by_signal) {
    // mpirun of Open MPI 5.0.7 sometimes ends with 0 after it has lost a host. The job is not done then.
    return ending.code == 0 && ContainsOneOf(text, kLostDaemon) ? Ending{cli::kFailure, false} : ending;
  }
  std::smatch match;
  for (const std::regex& form : kForms) {
    if (std::regex_search(text, match, form) && std::stoi(match[1]) != 0) return {std::stoi(match[1]), false};
  }
  return ending;
}

}  // namespace gan::launch
