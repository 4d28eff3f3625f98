// The hosts that mpirun was told to use, whether they still answer, and how a job does without those that do not.
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
  std::optional<std::uint64_t> slots;  // nothing: left to Open MPI to find out
  bool operator==(const Host&) const = default;
};

// Of an Open MPI hostfile, in its order. Throws UsageError when the file cannot be read.
std::vector<Host> HostsInFile(const std::filesystem::path& hostfile);

// Of all hostfiles and --host lists among mpirun's arguments; empty when they name none.
std::vector<Host> HostsOf(const std::vector<std::string>& launcher_arguments);

// The sum; nothing when a host does not say its own.
std::optional<std::uint64_t> SlotsOf(const std::vector<Host>& hosts);

// The names of those of `hosts` that are not this machine and do not let a command run through mpirun's own remote
// shell (plm_rsh_agent, ssh). Asks all at once; takes ten seconds at most. Call it while no Job runs.
std::vector<std::string> Unreachable(const std::vector<Host>& hosts,
                                     const std::vector<std::string>& launcher_arguments);

// Where the ranks of the next attempt go.
struct Placement {
  std::uint64_t ranks = 0;
  std::vector<Host> hosts;  // the only ones to use; empty: what mpirun was told
};

// The most of `ranks`, as a divisor of it, that the hosts without `gone` have slots for, but not fewer than `fewest`
// (0: all of them). Nothing when they have not: then there is nothing better than trying the same again.
std::optional<Placement> PlaceWithout(const std::vector<std::string>& gone, const std::vector<Host>& hosts,
                                      std::uint64_t ranks, std::uint64_t fewest);

// mpirun's arguments with a hostfile in place of every naming of hosts.
std::vector<std::string> WithHostfile(const std::vector<std::string>& launcher_arguments,
                                      const std::filesystem::path& hostfile);

// The text of a hostfile.
std::string HostfileText(const std::vector<Host>& hosts);

}  // namespace gan::launch
