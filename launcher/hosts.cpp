#include "launcher/hosts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <sstream>
#include <string_view>

#include "storage/errors.h"

namespace gan::launch {

namespace {

constexpr std::array<std::string_view, 5> kHostfileFlags = {"--hostfile", "-hostfile", "--machinefile", "-machinefile",
                                                            "--default-hostfile"};
constexpr std::array<std::string_view, 3> kHostListFlags = {"--host", "-host", "-H"};

template <typename Flags>
bool IsOneOf(const Flags& flags, const std::string& argument) {
  return std::find(flags.begin(), flags.end(), argument) != flags.end();
}

// Nine digits at most, so that the conversion cannot overflow.
std::optional<std::uint64_t> ParseSlots(const std::string& number) {
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (number.empty() || number.size() > 9 || !std::all_of(number.begin(), number.end(), digit)) return {};
  return std::stoull(number);
}

// The number in "slots=N" among the words after a host's name.
std::optional<std::uint64_t> SlotsAmong(std::istringstream& words) {
  constexpr std::string_view kSlots = "slots=";
  for (std::string word; words >> word;) {
    if (word.starts_with(kSlots)) return ParseSlots(word.substr(kSlots.size()));
  }
  return {};
}

// Parses a list like "a,b:2,a": each occurrence of a host counts as a slot unless ":N" gives the number. That is
// mpirun's rule: "-H a,a" means two slots.
void AddHostList(const std::string& list, std::vector<Host>& hosts) {
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    const std::size_t colon = name.find(':');
    const std::uint64_t slots = colon == std::string::npos ? 1 : ParseSlots(name.substr(colon + 1)).value_or(1);
    hosts.push_back({name.substr(0, colon), slots});
  }
}

}  // namespace

// Words other than slots=N, such as max_slots, are not needed here.
std::vector<Host> HostsInFile(const std::filesystem::path& hostfile) {
  std::ifstream file(hostfile);
  if (!file) throw UsageError("the hostfile " + hostfile.string() + " cannot be read");
  std::vector<Host> hosts;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    Host host;
    if (!(words >> host.name)) continue;
    host.slots = SlotsAmong(words);
    hosts.push_back(std::move(host));
  }
  return hosts;
}

// Every flag that names hosts has its value in the next argument.
std::vector<Host> HostsOf(const std::vector<std::string>& launcher_arguments) {
  std::vector<Host> hosts;
  for (std::size_t i = 0; i + 1 < launcher_arguments.size(); ++i) {
    const std::string& value = launcher_arguments[i + 1];
    if (IsOneOf(kHostListFlags, launcher_arguments[i])) AddHostList(value, hosts);
    if (!IsOneOf(kHostfileFlags, launcher_arguments[i])) continue;
    for (Host& host : HostsInFile(value)) hosts.push_back(std::move(host));
  }
  return hosts;
}

// One host with an unknown number makes the total unknown.
std::optional<std::uint64_t> SlotsOf(const std::vector<Host>& hosts) {
  std::uint64_t slots = 0;
  for (const Host& host : hosts) {
    if (!host.slots) return {};
    slots += *host.slots;
  }
  return slots;
}

std::optional<Placement> PlaceWithout(const std::vector<std::string>& gone, const std::vector<Host>& hosts,
                                      std::uint64_t ranks, std::uint64_t fewest) {
  Placement placement{ranks, {}};
  std::copy_if(hosts.begin(), hosts.end(), std::back_inserter(placement.hosts),
               [&](const Host& host) { return std::find(gone.begin(), gone.end(), host.name) == gone.end(); });
  if (placement.hosts.empty()) return {};
  // If the number of slots is unknown, only mpirun can find out whether the ranks fit.
  if (const auto slots = SlotsOf(placement.hosts)) {
    // Only divisors of the configured number can share its global batch evenly.
    while (placement.ranks > 0 && (placement.ranks > *slots || ranks % placement.ranks != 0)) --placement.ranks;
  }
  if (placement.ranks < std::max<std::uint64_t>(fewest > 0 ? fewest : ranks, 1)) return {};
  return placement;
}

// Both kinds of flags are removed with their values; the new hostfile replaces all of them.
std::vector<std::string> WithHostfile(const std::vector<std::string>& launcher_arguments,
                                      const std::filesystem::path& hostfile) {
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < launcher_arguments.size(); ++i) {
    if (IsOneOf(kHostListFlags, launcher_arguments[i]) || IsOneOf(kHostfileFlags, launcher_arguments[i])) {
      ++i;
    } else {
      arguments.push_back(launcher_arguments[i]);
    }
  }
  arguments.insert(arguments.end(), {"--hostfile", hostfile.string()});
  return arguments;
}

// A host without a number keeps it unspecified, so that Open MPI determines it.
std::string HostfileText(const std::vector<Host>& hosts) {
  std::string text;
  for (const Host& host : hosts) {
    text += host.name + (host.slots ? " slots=" + std::to_string(*host.slots) : "") + "\n";
  }
  return text;
}

}  // namespace gan::launch
