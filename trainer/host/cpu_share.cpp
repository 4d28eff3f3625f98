#include "trainer/host/cpu_share.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>

#include "storage/counted.h"

namespace gan::host {

namespace {

bool Holds(const std::vector<int>& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// The allowed CPUs, sorted by their position in the machine, so that a share spans as few packages as possible.
std::vector<int> InOrderOfTheMachine(const CpuFacts& facts) {
  std::vector<Cpu> allowed;
  for (const Cpu& cpu : facts.cpus) {
    if (Holds(facts.allowed, cpu.number)) allowed.push_back(cpu);
  }
  std::sort(allowed.begin(), allowed.end(), [](const Cpu& a, const Cpu& b) {
    return std::tie(a.package, a.core, a.number) < std::tie(b.package, b.core, b.number);
  });
  std::vector<int> numbers;
  numbers.reserve(allowed.size());
  for (const Cpu& cpu : allowed) numbers.push_back(cpu.number);
  return numbers;
}

// The part of `cpus` that belongs to this rank; all of them if there are fewer CPUs than ranks.
std::vector<int> PartOf(const std::vector<int>& cpus, std::size_t rank, std::size_t ranks) {
  std::vector<int> part = cpus;
  if (cpus.size() >= ranks) {
    // Ends computed by one formula for all ranks meet without a gap or an overlap, and parts differ by at most one CPU.
    const auto at = [&](std::size_t i) { return cpus.begin() + static_cast<std::ptrdiff_t>(cpus.size() * i / ranks); };
    part.assign(at(rank), at(rank + 1));
  }
  std::sort(part.begin(), part.end());
  return part;
}

// How many CPUs this rank effectively has: one that k ranks may use counts as 1/k.
double Worth(const CpuFacts& facts, const std::vector<int>& mine) {
  double worth = 0;
  for (const int cpu : mine) {
    worth += 1.0 / static_cast<double>(std::count_if(facts.bound.begin(), facts.bound.end(),
                                                     [&](const auto& bound) { return Holds(bound, cpu); }));
  }
  return worth + 1e-9;  // corrects the rounding of sums of thirds
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string Cpus(std::size_t count) { return storage::Counted(count, "CPU"); }

std::string Ranks(std::size_t count) { return storage::Counted(count, "rank"); }

// The line for the log: the facts, and why the rank computes with this number of threads.
std::string Explain(const CpuFacts& facts, const CpuShare& share, int before_quota) {
  const std::size_t ranks = facts.bound.size();
  const std::size_t mine = facts.bound[static_cast<std::size_t>(facts.rank)].size();
  std::string text;
  if (facts.binding == Binding::kDefault) {
    text = Cpus(facts.allowed.size()) + " of this job on this host, shared by " + Ranks(ranks) +
           "; the launcher's default binding to " + Cpus(mine) + " became one to " + Cpus(share.run_on.size());
  } else {
    text = Cpus(mine) + " of " + std::to_string(facts.cpus.size()) + " on this host";
    if (facts.binding == Binding::kAskedFor) text += ", bound as requested";
    if (ranks > 1) text += ", " + Ranks(ranks) + " on this host";
  }
  if (share.threads < before_quota)
    text += "; the container's quota is " + Number(facts.quota) + (facts.quota == 1 ? " CPU" : " CPUs");
  return text;
}

}  // namespace

// Only a default binding is replaced; any other binding was chosen by a user who knows the machine.
CpuShare CpuShareOf(const CpuFacts& facts) {
  const std::size_t ranks = facts.bound.size();
  const auto rank = static_cast<std::size_t>(facts.rank);
  CpuShare share;
  double worth = 0;
  if (facts.binding == Binding::kDefault) {
    const std::vector<int> cpus = InOrderOfTheMachine(facts);
    share.run_on = PartOf(cpus, rank, ranks);
    // With unequal numbers of threads the ranks would be unequally fast, and all would wait for the slowest in every
    // step.
    const std::size_t each = cpus.size() / ranks;  // the same for all ranks, although their parts may differ by one
    worth = static_cast<double>(each);
  } else {
    worth = Worth(facts, facts.bound[rank]);
  }
  // A quota limits CPU time, not CPUs: with more threads the kernel would stop all of them for a part of every period.
  const int before_quota = std::max(1, static_cast<int>(worth));
  const double granted = std::floor(facts.quota / static_cast<double>(ranks));
  share.threads = static_cast<int>(std::clamp<double>(granted, 1, before_quota));
  share.why = Explain(facts, share, before_quota);
  return share;
}

}  // namespace gan::host
