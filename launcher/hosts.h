// The hosts of mpirun's arguments: which of them still answer, and where the ranks run when some do not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/command_line.h"

namespace gan::launch {

struct Host {
  std::string name;
  std::optional<std::uint64_t> slots;  // empty: Open MPI determines the number
  bool operator==(const Host&) const = default;
};

// The hosts of an Open MPI hostfile, in its order. Throws UsageError when the file cannot be read.
std::vector<Host> HostsInFile(const std::filesystem::path& hostfile);

// The hosts of all hostfiles and --host lists in mpirun's arguments; empty when the arguments name no hosts.
std::vector<Host> HostsOf(const std::vector<std::string>& launcher_arguments);

// The total number of slots; empty when the number is unknown for a host.
std::optional<std::uint64_t> SlotsOf(const std::vector<Host>& hosts);

// The names of those hosts other than this one on which no command can be run through mpirun's remote shell
// (plm_rsh_agent, ssh). Looks the names up one after another, for as long as the system's resolver takes. The commands
// run in parallel and get ten seconds after that. Call it only while no Job runs.
std::vector<std::string> Unreachable(const std::vector<Host>& hosts,
                                     const std::vector<std::string>& launcher_arguments);

// Where the ranks of the next attempt run.
struct Placement {
  std::uint64_t ranks = 0;
  std::vector<Host> hosts;  // the hosts to use; empty: those in mpirun's arguments
};

// The largest divisor of `ranks`, but not less than `fewest` (0: `ranks` itself), for which the hosts without `gone`
// have enough slots. Empty when there is none; then the caller can only repeat the attempt with all hosts.
std::optional<Placement> PlaceWithout(const std::vector<std::string>& gone, const std::vector<Host>& hosts,
                                      std::uint64_t ranks, std::uint64_t fewest);

// mpirun's arguments with one hostfile in place of all arguments that name hosts.
std::vector<std::string> WithHostfile(const std::vector<std::string>& launcher_arguments,
                                      const std::filesystem::path& hostfile);

// Formats the hosts as a hostfile.
std::string HostfileText(const std::vector<Host>& hosts);

}  // namespace gan::launch
