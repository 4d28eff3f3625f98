#include "launcher/diagnosis.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <regex>
#include <sstream>
#include <utility>

#include "cli/addresses.h"
#include "cli/main.h"
#include "launcher/launcher_words.h"

namespace gan::launch {

namespace {

// In the order of the values of Cause, which Name() uses as indices.
constexpr std::array<std::string_view, 14> kNames = {
    "none",      "signal",    "out_of_memory", "bus_error",    "full_disk", "not_a_number",    "hang",
    "lost_host", "other_mpi", "bad_flag",      "damaged_data", "port",      "library_missing", "error"};

constexpr double kFrozenSeconds = 1;  // ten times the interval of a rank's signs of life
constexpr std::size_t kLongestDetail = 400;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(std::move(line));
  return lines;
}

bool Contains(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

std::string FirstLineWith(const std::vector<std::string>& lines, std::string_view words) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return Contains(line, words); });
  return found == lines.end() ? "" : *found;
}

struct ErrorLine {
  std::optional<int> rank;
  std::string what;
};

// The first error that an Equipoise program reported: "gan-train: [rank 1] message". Lines of the log begin with a time
// and are not errors. When a save fails on one rank, the other ranks report it too. Their messages name the rank whose
// error it is, and it is taken from there.
std::optional<ErrorLine> FirstError(const std::vector<std::string>& lines) {
  // At most eight digits, here and below: std::stoi throws on larger numbers, and any program can write such a line.
  static const std::regex kForm(R"(^gan-\w+: (?:\[rank (\d{1,8})\] )?(.*))");
  static const std::regex kOther(R"(save failed on rank (\d{1,8}) )");
  std::smatch match, other;
  for (const std::string& line : lines) {
    if (!std::regex_match(line, match, kForm) || match[2].str().starts_with("warning: ")) continue;
    ErrorLine error{.rank = std::nullopt, .what = match[2]};
    if (match[1].matched) error.rank = std::stoi(match[1]);
    if (std::regex_search(error.what, other, kOther)) error.rank = std::stoi(other[1]);
    return error;
  }
  return std::nullopt;
}

Cause CauseOf(const std::string& words) {
  // Texts that identify a cause: of the C library, the dynamic linker, mpirun, LibTorch ("can't allocate memory", "not
  // enough memory") and the Equipoise programs. If a message of Equipoise changes, it must be changed here as well.
  constexpr std::pair<std::string_view, Cause> kSigns[] = {
      {"No space left on device", Cause::kFullDisk},
      {"Disk quota exceeded", Cause::kFullDisk},
      {"Read-only file system", Cause::kFullDisk},
      {"Address already in use", Cause::kPort},
      {"cannot open shared object file", Cause::kLibraryMissing},
      {"error while loading shared libraries", Cause::kLibraryMissing},
      {"no answer from the other ranks", Cause::kHang},
      {"no sign of life", Cause::kHang},
      {"--expect-world-size says", Cause::kOtherMpi},
      {"unknown option", Cause::kBadFlag},
      {"the programs were built for", Cause::kOtherMpi},
      {"Cannot allocate memory", Cause::kOutOfMemory},
      {"not enough memory", Cause::kOutOfMemory},
      {"std::bad_alloc", Cause::kOutOfMemory},
      {"can't allocate memory", Cause::kOutOfMemory},
  };
  for (const auto& [sign, cause] : kSigns) {
    if (Contains(words, sign)) return cause;
  }
  return Cause::kNone;
}

Cause CauseOfCode(int code) {
  switch (code) {
    case cli::kUsage:
      return Cause::kBadFlag;
    case cli::kBadData:
      return Cause::kDamagedData;
    case cli::kDiverged:
      return Cause::kNotANumber;
    default:
      return Cause::kError;
  }
}

// The rank that the others waited for: one that was frozen, or one that had entered fewer collectives than the others.
std::optional<int> RankThatWasWaitedFor(const std::vector<RankTrace>& ranks) {
  if (ranks.size() < 2) return std::nullopt;
  const auto by_beat = [](const RankTrace& a, const RankTrace& b) { return a.last_beat < b.last_beat; };
  const auto [frozen, alive] = std::minmax_element(ranks.begin(), ranks.end(), by_beat);
  // A rank whose process is stopped sends no signs of life. One that hangs in its own code does; then only the
  // collectives show it.
  if (alive->last_beat - frozen->last_beat > kFrozenSeconds) return frozen->rank;
  const auto by_progress = [](const RankTrace& a, const RankTrace& b) {
    return std::pair(a.collectives, a.in_collective) < std::pair(b.collectives, b.in_collective);
  };
  const auto [behind, ahead] = std::minmax_element(ranks.begin(), ranks.end(), by_progress);
  // All ranks of this host are at the same place, so the one that they wait for runs on another host.
  if (std::pair(behind->collectives, behind->in_collective) == std::pair(ahead->collectives, ahead->in_collective))
    return std::nullopt;
  return behind->rank;
}

Diagnosis DiagnoseHang(const Evidence& evidence, const std::vector<std::string>& lines) {
  // Each rank that gives up waiting writes such a line. The first one is nearest to the cause, but it names the rank
  // that waited. If the notes of the ranks show which one hung, they decide.
  static const std::regex kReport(R"(\[rank (\d{1,8})\] no sign of life .* in section (\w+); stacks in (.*), ending)");
  Diagnosis found{.cause = Cause::kHang};
  std::smatch match;
  for (const std::string& line : lines) {
    if (!std::regex_search(line, match, kReport)) continue;
    if (found.detail.empty()) {
      found.rank = std::stoi(match[1]);
      found.section = match[2];
      found.detail = line;
    }
    if (found.stacks.empty()) found.stacks = match[3];
  }
  if (const auto waited_for = RankThatWasWaitedFor(evidence.ranks)) found.rank = waited_for;
  return found;
}

Diagnosis DiagnoseSignal(const Evidence& evidence, const SignalledRank& signalled) {
  Diagnosis found{.cause = Cause::kSignal, .rank = signalled.rank, .host = signalled.host};
  found.detail = "signal " + std::to_string(signalled.signal) + " (" + ::strsignal(signalled.signal) + ")";
  if (signalled.signal == SIGBUS) found.cause = Cause::kBusError;
  // SIGKILL alone does not say who sent it. Slurm reports the kernel's kill in one of two spellings, or as the end of
  // the task.
  constexpr std::array<std::string_view, 3> kOfSlurm = {"oom_kill event", "oom-kill event", ": Out Of Memory"};
  const bool kernel_killed =
      evidence.memory_kills > 0 ||
      std::any_of(kOfSlurm.begin(), kOfSlurm.end(), [&](auto words) { return Contains(evidence.text, words); });
  if (signalled.signal == SIGKILL && kernel_killed) found.cause = Cause::kOutOfMemory;
  return found;
}

// A hostfile may have "node7.cluster" for a host that calls itself "node7".
bool IsSameHost(const std::string& a, const std::string& b) {
  const auto first_part = [](const std::string& name) { return name.substr(0, name.find('.')); };
  return !a.empty() && (a == b || (first_part(a) == first_part(b) && (!Contains(a, ".") || !Contains(b, "."))));
}

Diagnosis DiagnoseLostHost(const Evidence& evidence, const std::string& host) {
  Diagnosis found{.cause = Cause::kLostHost, .host = host, .detail = "the host does not answer"};
  const auto rank = std::find_if(evidence.hosts.begin(), evidence.hosts.end(),
                                 [&](const std::string& name) { return IsSameHost(host, name); });
  if (rank != evidence.hosts.end()) found.rank = static_cast<int>(rank - evidence.hosts.begin());
  return found;
}

// The diagnosis from texts on stderr that no rank has written.
std::optional<Diagnosis> DiagnoseWords(const Evidence& evidence, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const Cause cause = CauseOf(line);
    if (cause != Cause::kNone) return Diagnosis{.cause = cause, .rank = RankThatEnded(evidence.text), .detail = line};
  }
  return std::nullopt;
}

// The order goes from causes to consequences. A lost host makes the watchdogs of other hosts report a hang. A rank that
// gave up waiting makes mpirun end the others by signals. A rank that a signal ended makes the others report errors of
// MPI.
Diagnosis FindCause(const Evidence& evidence) {
  const std::vector<std::string> lines = LinesOf(evidence.text);
  const Ending& ending = evidence.ending;
  if (!ending.by_signal && (ending.code == cli::kDone || ending.code == cli::kStoppedSaved)) return {};
  const auto error = FirstError(lines);
  if (!ending.by_signal && ending.code == cli::kDiverged) {
    return {.cause = Cause::kNotANumber, .detail = FirstLineWith(lines, "diverged")};
  }
  // The other ranks wait for those of a lost host until their watchdogs end them.
  if (!evidence.gone_hosts.empty()) return DiagnoseLostHost(evidence, evidence.gone_hosts.front());
  if (Contains(evidence.text, "no sign of life")) return DiagnoseHang(evidence, lines);
  if (SpeaksOfALostHost(evidence.text)) return DiagnoseLostHost(evidence, HostNamedIn(evidence.text));
  if (const auto signalled = RankThatWasSignalled(evidence.text)) return DiagnoseSignal(evidence, *signalled);
  if (error) {
    Cause cause = CauseOf(error->what);
    if (cause == Cause::kNone) cause = CauseOfCode(ending.by_signal ? cli::kFailure : ending.code);
    // A library may report the error without the system's message.
    if (cause == Cause::kError && !evidence.disk.empty()) cause = Cause::kFullDisk;
    // The rank that waited in vain is the one that reports it.
    const auto waited_for = cause == Cause::kHang ? RankThatWasWaitedFor(evidence.ranks) : std::nullopt;
    const auto spoke = error->rank ? error->rank : RankThatEnded(evidence.text);
    return {.cause = cause, .rank = waited_for ? waited_for : spoke, .detail = error->what};
  }
  if (!evidence.disk.empty())
    return {.cause = Cause::kFullDisk, .rank = RankThatEnded(evidence.text), .detail = evidence.disk};
  if (auto words = DiagnoseWords(evidence, lines)) return *words;
  if (ending.by_signal) return {.cause = Cause::kSignal, .detail = "the launcher " + Describe(ending)};
  return {.cause = CauseOfCode(ending.code), .rank = RankThatEnded(evidence.text), .detail = Describe(ending)};
}

std::string_view InWords(Cause cause) {
  switch (cause) {
    case Cause::kNone:
      return "";
    case Cause::kSignal:
      return "was ended by a signal";
    case Cause::kOutOfMemory:
      return "ran out of memory";
    case Cause::kBusError:
      return "had a bus error (a full /dev/shm, or a file that became shorter while it was mapped)";
    case Cause::kFullDisk:
      return "could not write: the disk is full or read-only";
    case Cause::kNotANumber:
      return "computed numbers that are not finite";
    case Cause::kHang:
      return "hung, and the others waited for it";
    case Cause::kLostHost:
      return "was lost with its host";
    case Cause::kOtherMpi:
      return "was started by another MPI library than it was built for";
    case Cause::kBadFlag:
      return "refused its flags";
    case Cause::kDamagedData:
      return "read damaged data";
    case Cause::kPort:
      return "could not use a port";
    case Cause::kLibraryMissing:
      return "could not load a library";
    case Cause::kError:
      return "ended with an error";
  }
  return "";
}

}  // namespace

std::string_view Name(Cause cause) { return kNames[static_cast<std::size_t>(cause)]; }

// The board adds where the rank was. A killed rank could not report that itself.
Diagnosis Diagnose(const Evidence& evidence) {
  Diagnosis found = FindCause(evidence);
  if (found.cause == Cause::kNone) return found;
  if (found.detail.size() > kLongestDetail) found.detail.resize(kLongestDetail);
  // The line comes from a rank, and goes to launch.json and to alerts.
  found.detail = cli::WithoutAddresses(found.detail);
  // A job of one rank does not number its messages.
  if (!found.rank && evidence.ranks.size() == 1 && found.cause != Cause::kLostHost) found.rank = evidence.ranks[0].rank;
  if (!found.rank) return found;
  const auto place = static_cast<std::size_t>(*found.rank);
  if (found.host.empty() && place < evidence.hosts.size()) found.host = evidence.hosts[place];
  const auto trace = std::find_if(evidence.ranks.begin(), evidence.ranks.end(),
                                  [&](const RankTrace& rank) { return rank.rank == *found.rank; });
  if (trace == evidence.ranks.end()) return found;
  if (found.host.empty()) found.host = evidence.host;
  if (!trace->section.empty()) found.section = trace->section;
  if (trace->in_collective) found.collective = trace->collective;
  return found;
}

std::string Sentence(const Diagnosis& diagnosis) {
  if (diagnosis.cause == Cause::kNone) return "";
  // All ranks decide from the same reduced numbers, so no single rank caused a divergence.
  const bool all = !diagnosis.rank && diagnosis.cause == Cause::kNotANumber;
  std::string text = diagnosis.rank ? "rank " + std::to_string(*diagnosis.rank) : all ? "every rank" : "a rank";
  if (!diagnosis.host.empty()) text += " on " + diagnosis.host;
  text += " " + std::string(InWords(diagnosis.cause));
  if (!diagnosis.section.empty()) text += " in section " + diagnosis.section;
  if (!diagnosis.collective.empty()) text += " (" + diagnosis.collective + ")";
  if (!diagnosis.detail.empty()) text += ": " + diagnosis.detail;
  if (!diagnosis.stacks.empty()) text += "; stacks in " + diagnosis.stacks;
  return text;
}

}  // namespace gan::launch
