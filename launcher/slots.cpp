#include "launcher/slots.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "launcher/hosts.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/lower.h"

namespace gan::launch {

namespace {

constexpr std::array<std::string_view, 4> kHostfileFlags = {"--hostfile", "-hostfile", "--machinefile", "-machinefile"};

bool IsHostfileFlag(const std::string& argument) {
  return std::find(kHostfileFlags.begin(), kHostfileFlags.end(), argument) != kHostfileFlags.end();
}

// Whether the argument is one of Open MPI's options for oversubscription: "--oversubscribe", "--map-by
// node:OVERSUBSCRIBE", "--mca rmaps_base_oversubscribe 1".
bool SpeaksOfOversubscribing(const std::string& argument) {
  return storage::Lower(argument).find("oversubscribe") != std::string::npos;
}

// The only hostfile in mpirun's arguments; "" when there is none or more than one. With several, the total depends on
// rules of mpirun that are not repeated here.
std::string OnlyHostfile(const std::vector<std::string>& arguments) {
  const auto found = std::find_if(arguments.begin(), arguments.end(), IsHostfileFlag);
  if (found == arguments.end() || std::next(found) == arguments.end()) return "";
  return std::any_of(std::next(found), arguments.end(), IsHostfileFlag) ? "" : *std::next(found);
}

}  // namespace

// Checked before the first attempt, because mpirun's own message would be repeated for every restart.
void RequireSlots(const LaunchOptions& options) {
  const std::vector<std::string>& given = options.launcher_arguments;
  if (options.launcher != "mpirun" || std::any_of(given.begin(), given.end(), SpeaksOfOversubscribing)) return;
  const std::string hostfile = OnlyHostfile(given);
  if (hostfile.empty()) return;
  const std::optional<std::uint64_t> slots = SlotsOf(HostsInFile(hostfile));
  // A job that may run with fewer ranks is refused only when even the smallest number does not fit.
  const std::uint64_t fewest = options.allow_fewer_ranks > 0 ? options.allow_fewer_ranks : options.ranks;
  if (!slots || *slots >= fewest) return;
  throw UsageError("the hostfile " + hostfile + " has " + storage::Counted(*slots, "slot") + ", the job needs " +
                   std::to_string(fewest) + "; add hosts or raise slots=N, or start fewer ranks (-np)");
}

}  // namespace gan::launch
