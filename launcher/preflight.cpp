#include "launcher/preflight.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/main.h"
#include "inspect/shards.h"
#include "launcher/command_output.h"
#include "launcher/programs.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::launch {

namespace fs = std::filesystem;

namespace {

constexpr double kMebibyte = 1024 * 1024;

// The last line that is not empty, where most programs print the reason of a failure.
std::string LastLine(const std::string& text) {
  const std::size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return "it printed nothing";
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

std::string Mebibytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f MiB", bytes / kMebibyte);
  return text;
}

// Prints the result of each check and remembers whether all were good.
class CheckResults {
 public:
  void Add(bool good, const std::string& what, const std::string& detail) {
    std::cout << (good ? "ok      " : "PROBLEM ") << what << ": " << detail << std::endl;
    all_good_ &= good;
  }
  void AddNote(const std::string& what, const std::string& detail) {
    std::cout << "note    " << what << ": " << detail << std::endl;
  }
  bool all_good() const { return all_good_; }

 private:
  bool all_good_ = true;
};

// The needs of one rank, from the program's own --dry-run --json.
struct Need {
  double memory_bytes = 0;      // per rank
  double checkpoint_bytes = 0;  // per checkpoint
};

// Finds the JSON object line by line, because the output also contains the program's stderr.
std::optional<Need> ReadNeed(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("memory_bytes_per_rank")) continue;
    return Need{json.at("memory_bytes_per_rank").get<double>(), json.at("checkpoint_bytes").get<double>()};
  }
  return std::nullopt;
}

// The dry run parses all flags, so a mistake in them is found here.
Need CheckProgram(const LaunchOptions& options, CheckResults& results) {
  std::vector<std::string> command = options.program;
  command.front() = BesideThisProgram(command.front());
  // One process without the launcher is enough here; CheckRanks starts the real number of ranks.
  command.insert(command.end(), {"--dry-run", "--no-measure", "--json", "--expect-world-size", "0"});
  const CommandOutput output = RunCommand(command);
  const std::optional<Need> need = output.code == 0 ? ReadNeed(output.text) : std::nullopt;
  const std::string detail = need               ? options.program.front() + " accepts them"
                             : output.code != 0 ? LastLine(output.text)
                                                : "--dry-run --json printed no JSON object with memory_bytes_per_rank";
  results.Add(need.has_value(), "program and flags", detail);
  return need.value_or(Need());
}

bool CheckShards(const LaunchOptions& options, CheckResults& results) {
  const std::string shards = ProgramFlag(options.program, "--shards");
  if (shards.empty()) {
    results.AddNote("shards", "no --shards among the program's flags");
    return true;
  }
  try {
    const inspect::Report report = inspect::InspectShardFolder(shards, [](std::uint64_t, std::uint64_t) {});
    results.Add(report.intact(), "shards", report.intact() ? shards + ", every checksum right" : report.damage.front());
    return report.intact();
  } catch (const std::exception& error) {
    results.Add(false, "shards", error.what());
    return false;
  }
}

void CheckDisk(const fs::path& run, const Need& need, CheckResults& results) {
  struct statvfs status = {};
  if (::statvfs(run.c_str(), &status) != 0) throw IoError(run, "statvfs", errno);
  // f_bavail, not f_bfree: part of the free blocks may be reserved for root.
  const double room = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
  // Room for three checkpoints: the one being written and the two newest, which are never pruned, with the factor 1.2
  // that a save requires.
  const double wanted = need.checkpoint_bytes * 3 * 1.2;
  results.Add(room >= wanted, "disk",
              Mebibytes(room) + " free in " + run.string() + ", three checkpoints take " + Mebibytes(wanted));
}

void CheckRank(const nlohmann::json& rank, CheckResults& results) {
  const std::string name =
      "rank " + std::to_string(rank.at("rank").get<int>()) + " on " + rank.at("host").get<std::string>();
  if (!rank.at("sees_run_folder").get<bool>()) results.Add(false, name, "does not see the run folder of rank 0");
  if (!rank.at("writes_run_folder").get<bool>()) results.Add(false, name, "cannot write into the run folder");
  if (!rank.at("all_reduce_right").get<bool>()) results.Add(false, name, "all-reduce gave a wrong sum");
  const int port = rank.at("port").get<int>();
  if (!rank.at("port_free").get<bool>()) {
    results.AddNote(name, "metrics port " + std::to_string(port) + " is in use; the rank would train without metrics");
  }
}

// Adds up the needs of all ranks on a host, since they share its memory.
void CheckMemory(const nlohmann::json& ranks, const Need& need, CheckResults& results) {
  std::map<std::string, std::pair<int, double>> hosts;  // ranks and bytes available
  for (const auto& rank : ranks) {
    auto& host = hosts[rank.at("host").get<std::string>()];
    ++host.first;
    // Each rank reports the memory of its whole host, so these numbers are not added.
    host.second = rank.at("memory_available").get<double>();
  }
  for (const auto& [host, of] : hosts) {
    const double wanted = need.memory_bytes * of.first;
    results.Add(of.second >= wanted, "memory of " + host,
                Mebibytes(of.second) + " available, " + storage::Counted(of.first, "rank wants", "ranks want") +
                    " about " + Mebibytes(wanted));
  }
}

void CheckRanks(const LaunchOptions& options, const fs::path& run, const Need& need, CheckResults& results) {
  std::string port = ProgramFlag(options.program, "--metrics-port");
  // "off" and a free port are checked in the same way: any port is acceptable.
  if (port.empty()) port = "9400";
  if (port == "off") port = "0";
  const CommandOutput output = RunCommand(
      JobCommand(options, options.ranks, {BesideThisProgram("gan-rank-check"), fs::absolute(run).string(), port}));
  // The launcher may print warnings before the JSON object.
  const std::size_t begin = output.text.find("{\"ranks\"");
  if (output.code != 0 || begin == std::string::npos) {
    results.Add(false, "ranks",
                options.launcher + " could not run " + std::to_string(options.ranks) + ": " + LastLine(output.text));
    return;
  }
  const auto answer = nlohmann::json::parse(output.text.substr(begin, output.text.find('\n', begin) - begin));
  const auto& ranks = answer.at("ranks");
  results.Add(ranks.size() == options.ranks, "ranks",
              std::to_string(ranks.size()) + " of " + std::to_string(options.ranks) + " in one job");
  for (const auto& rank : ranks) CheckRank(rank, results);
  CheckMemory(ranks, need, results);
  char speed[64];
  std::snprintf(speed, sizeof speed, "16 MiB in %.1f ms", answer.at("all_reduce_seconds").get<double>() * 1e3);
  results.AddNote("all-reduce", speed);
}

// `folder` and those above it that do not exist, from the innermost on.
std::vector<fs::path> MissingFolders(const fs::path& folder) {
  std::vector<fs::path> missing;
  for (fs::path at = fs::absolute(folder).lexically_normal(); !fs::exists(at); at = at.parent_path()) {
    missing.push_back(at);
  }
  return missing;
}

}  // namespace

// A failed check does not stop the others, so that one call finds all problems.
int Preflight(const LaunchOptions& options, const fs::path& run) {
  // Disk and ranks are checked in the folder itself, which a first run does not have yet.
  const std::vector<fs::path> missing = MissingFolders(run);
  fs::create_directories(run);
  CheckResults results;
  const Need need = CheckProgram(options, results);
  const bool shards_good = CheckShards(options, results);
  CheckDisk(run, need, results);
  CheckRanks(options, run, need, results);
  std::error_code ignored;
  for (const fs::path& folder : missing) fs::remove(folder, ignored);  // a check leaves nothing behind
  if (results.all_good()) return cli::kDone;
  std::cerr << "gan-launch: not everything is in order, see above\n";
  return shards_good ? cli::kFailure : cli::kBadData;
}

}  // namespace gan::launch
