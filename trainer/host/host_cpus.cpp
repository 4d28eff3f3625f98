#include "trainer/host/host_cpus.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "open_mpi/binding.h"

namespace gan::host {

namespace fs = std::filesystem;

namespace {

constexpr int kMostCpus = 8192;  // the maximum that Linux can be built for
constexpr int kWord = 8 * sizeof(unsigned long);
using Mask = std::array<unsigned long, kMostCpus / kWord>;

// The programs that start ranks, by the names that the kernel reports.
constexpr std::array<std::string_view, 7> kLaunchers = {"mpirun",  "orterun", "mpiexec", "orted",
                                                        "prterun", "prte",    "prted"};

std::string FirstLine(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::optional<int> NumberIn(const fs::path& file) {
  std::ifstream stream(file);
  int number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

// Parses a list like "0-3,8,10-11".
std::vector<int> ParseCpuList(const std::string& list) {
  std::vector<int> cpus;
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    int first = 0, last = 0;
    char dash = 0;
    std::istringstream ends(range);
    if (!(ends >> first)) continue;
    if (!(ends >> dash >> last)) last = first;
    for (int cpu = first; cpu <= std::min(last, kMostCpus - 1); ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

// Open MPI binds each of two ranks to one core, however many the machine has, so a rank's own mask does not say what
// the job may use. The launcher's mask does, if the launcher is on this host, because a launcher does not bind itself.

// A mask of our own type, because cpu_set_t holds only 1,024 CPUs.
Mask MaskOf(const std::vector<int>& cpus) {
  Mask mask{};
  for (const int cpu : cpus) mask[static_cast<std::size_t>(cpu / kWord)] |= 1UL << (cpu % kWord);
  return mask;
}

bool SetAffinity(int thread, const Mask& mask) {
  return ::sched_setaffinity(thread, sizeof mask, reinterpret_cast<const cpu_set_t*>(mask.data())) == 0;
}

// The nearest ancestor process that starts ranks; 0 if none is visible.
int Launcher() {
  for (int process = ::getppid(); process > 1;) {
    const fs::path folder = fs::path("/proc") / std::to_string(process);
    const std::string name = FirstLine(folder / "comm");
    if (std::find(kLaunchers.begin(), kLaunchers.end(), name) != kLaunchers.end()) return process;
    std::ifstream status(folder / "status");
    process = 0;
    for (std::string key; status >> key;) {
      // The name in /proc/PID/stat may contain spaces and brackets; /proc/PID/status has one value per line.
      if (key == "PPid:") status >> process;
    }
  }
  return 0;
}

// The command line of the launcher that the user started. Empty for a daemon of the launcher, whose command line does
// not mention binding.
std::optional<std::vector<std::string>> ArgumentsOf(int launcher) {
  const fs::path folder = fs::path("/proc") / std::to_string(launcher);
  if (launcher == 0 || FirstLine(folder / "comm") == "prted") return std::nullopt;
  std::ifstream line(folder / "cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(line, argument, '\0');) arguments.push_back(argument);
  return arguments.empty() ? std::nullopt : std::optional(arguments);
}

// The largest set of CPUs that the kernel allows this thread. A request for all CPUs is reduced to those of the
// container. There is no call that asks for the widest mask, so it is tried and undone.
std::vector<int> WidestAffinity() {
  const Mask before = MaskOf(AffinityOf(0));
  Mask all;
  all.fill(~0UL);
  SetAffinity(0, all);
  std::vector<int> widest = AffinityOf(0);
  SetAffinity(0, before);
  return widest;
}

}  // namespace

std::vector<int> AffinityOf(int process) {
  Mask mask{};
  if (::sched_getaffinity(process, sizeof mask, reinterpret_cast<cpu_set_t*>(mask.data())) != 0) return {};
  std::vector<int> cpus;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    if ((mask[static_cast<std::size_t>(cpu / kWord)] >> (cpu % kWord) & 1UL) != 0) cpus.push_back(cpu);
  }
  return cpus;
}

// Affinity belongs to a thread, so all existing threads are changed one by one.
// MPI has started threads before, which run with the mask of the launcher's binding.
bool RunOn(const std::vector<int>& cpus) {
  const Mask mask = MaskOf(cpus);
  std::error_code ignored;  // a thread may end meanwhile
  for (const auto& thread : fs::directory_iterator("/proc/self/task", ignored)) {
    SetAffinity(std::atoi(thread.path().filename().c_str()), mask);
  }
  return SetAffinity(0, mask);
}

// Without topology files each CPU counts as a separate core.
std::vector<Cpu> CpusOfHost(const fs::path& root) {
  const fs::path folder = root / "sys/devices/system/cpu";
  std::vector<Cpu> cpus;
  for (const int number : ParseCpuList(FirstLine(folder / "online"))) {
    const fs::path topology = folder / ("cpu" + std::to_string(number)) / "topology";
    cpus.push_back({number, NumberIn(topology / "physical_package_id").value_or(0),
                    NumberIn(topology / "core_id").value_or(number)});
  }
  return cpus;
}

CpuFacts FindCpuFacts(std::vector<std::vector<int>> bound, int rank) {
  CpuFacts facts;
  facts.cpus = CpusOfHost();
  facts.bound = std::move(bound);
  facts.rank = rank;
  facts.quota = CpuQuota();
  const int launcher = Launcher();
  const open_mpi::Lookup environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  facts.binding = open_mpi::BindingOf(environment, ArgumentsOf(launcher));
  // The affinity of a launcher that is not bound itself shows which CPUs the job may use.
  if (launcher > 0) facts.allowed = AffinityOf(launcher);
  if (facts.allowed.empty()) facts.allowed = WidestAffinity();
  if (facts.cpus.empty()) {  // without sysfs every CPU counts as a core of one package
    for (const int number : facts.allowed) facts.cpus.push_back({number, 0, number});
  }
  return facts;
}

}  // namespace gan::host
