#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "launcher/hosts.h"
#include "monitoring/http_access.h"
#include "open_mpi/runtime.h"
#include "storage/host_name.h"

namespace gan::launch {

namespace {

// The time limit for the commands of all hosts together, which run in parallel.
constexpr std::chrono::seconds kPatience{10};

// The bytes of an address without its port, for comparison.
std::string AddressBytes(const sockaddr* address) {
  if (address == nullptr) return "";
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return std::string(reinterpret_cast<const char*>(&v4->sin_addr), sizeof v4->sin_addr);
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    return std::string(reinterpret_cast<const char*>(&v6->sin6_addr), sizeof v6->sin6_addr);
  }
  return "";
}

// All addresses of all interfaces of this machine.
std::vector<std::string> OwnAddresses() {
  std::vector<std::string> own;
  ifaddrs* interfaces = nullptr;
  if (::getifaddrs(&interfaces) != 0) return own;
  for (const ifaddrs* i = interfaces; i != nullptr; i = i->ifa_next) own.push_back(AddressBytes(i->ifa_addr));
  ::freeifaddrs(interfaces);
  std::erase(own, "");
  return own;
}

// A host can have many names, so its addresses are compared. mpirun reaches this machine without its remote shell, so a
// missing ssh server here must not make it count as gone.
bool IsThisMachine(const std::string& name) {
  if (monitoring::IsLoopback(name)) return true;  // also when no hosts file lists it
  if (name == storage::HostName()) return true;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, nullptr, &found) != 0) return false;
  const std::vector<std::string> own = OwnAddresses();
  bool local = false;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    local |= std::find(own.begin(), own.end(), AddressBytes(a->ai_addr)) != own.end();
  }
  ::freeaddrinfo(found);
  return local;
}

// The words of the command with which mpirun reaches hosts. The command line overrides the environment.
std::vector<std::string> Agent(const std::vector<std::string>& launcher_arguments) {
  std::string agent = "ssh";
  for (const char* variable : open_mpi::kRemoteShellVariables) {
    if (const char* set = std::getenv(variable)) agent = set;
  }
  const auto named = std::find_first_of(launcher_arguments.begin(), launcher_arguments.end(),
                                        open_mpi::kRemoteShell.begin(), open_mpi::kRemoteShell.end());
  if (named != launcher_arguments.end() && std::next(named) != launcher_arguments.end()) agent = *std::next(named);
  std::istringstream text(agent);
  // The value may have options of its own ("ssh -p 2222"), which mpirun separates at spaces too.
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(word);
  if (!words.empty() && words.front().substr(words.front().rfind('/') + 1) == "ssh") {
    // Without these options ssh could ask for a password or wait for minutes.
    words.insert(words.end(), {"-o", "BatchMode=yes", "-o", "ConnectTimeout=5"});
  }
  return words;
}

// Starts the command without input and output and returns its process, or nothing when it cannot be started.
std::optional<pid_t> StartQuietly(std::vector<std::string> command) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&files, file, "/dev/null", O_RDWR, 0);
  }
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // The child must not inherit the blocked signals of the supervisor.
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t process = 0;
  const int error = ::posix_spawnp(&process, words[0], &files, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return {};
  return process;
}

// Whether the process ends with exit code 0 before `deadline`. When this function returns, the process has ended in any
// case.
bool EndsWell(pid_t process, std::chrono::steady_clock::time_point deadline) {
  int status = 0;
  // It waits for this process alone. Job::Poll() waits for any, and would take the exit status of this one: therefore
  // no job may run meanwhile.
  while (::waitpid(process, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      ::kill(process, SIGKILL);
      ::waitpid(process, &status, 0);
      break;
    }
    ::usleep(20'000);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::vector<std::string> Unreachable(const std::vector<Host>& hosts,
                                     const std::vector<std::string>& launcher_arguments) {
  // The first loop starts all commands, the second one collects their results.
  std::map<std::string, std::optional<pid_t>> asked;
  for (const Host& host : hosts) {
    if (asked.contains(host.name) || IsThisMachine(host.name)) continue;
    std::vector<std::string> command = Agent(launcher_arguments);
    command.insert(command.end(), {host.name, "true"});
    asked[host.name] = StartQuietly(std::move(command));
  }
  // Set after the first loop, so that a slow name server does not make hosts count as gone.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::vector<std::string> gone;
  for (const auto& [name, process] : asked) {
    if (!process || !EndsWell(*process, deadline)) gone.push_back(name);
  }
  return gone;
}

}  // namespace gan::launch
