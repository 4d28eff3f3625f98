#include "open_mpi/binding.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "storage/lower.h"

namespace gan::open_mpi {

namespace {

// Settings of Open MPI 4 and of PRRTE, Open MPI 5's launcher, that request a binding whatever their value.
constexpr std::array<const char*, 8> kBindingVariables = {"OMPI_MCA_hwloc_base_binding_policy",
                                                          "OMPI_MCA_hwloc_base_cpu_set",
                                                          "OMPI_MCA_hwloc_base_cpu_list",
                                                          "OMPI_MCA_rmaps_base_cpus_per_rank",
                                                          "OMPI_MCA_orte_rankfile",
                                                          "OMPI_MCA_rmaps_rank_file_path",
                                                          "PRTE_MCA_hwloc_default_cpu_list",
                                                          "PRTE_MCA_hwloc_default_binding_policy"};
// Settings that place ranks, and request a binding only if they name the CPUs per rank.
constexpr std::array<const char*, 2> kMappingVariables = {"OMPI_MCA_rmaps_base_mapping_policy",
                                                          "PRTE_MCA_rmaps_default_mapping_policy"};
// Options on the command line of PRRTE, Open MPI 5's launcher, that bind processes to CPUs.
constexpr std::array<std::string_view, 9> kBindingWords = {"--bind-to",
                                                           "--cpu-set",
                                                           "--cpu-list",
                                                           "--rankfile",
                                                           "--cpus-per-proc",
                                                           "--cpus-per-rank",
                                                           "--hwloc_default_cpu_list",
                                                           "--hwloc_default_binding_policy",
                                                           "--rf"};

// Whether a policy such as "slot:PE=4" or "pe-list=0,2" names CPUs.
bool NamesCpus(const std::string& policy) {
  const std::string lower = storage::Lower(policy);
  return lower.find("pe=") != std::string::npos || lower.find("pe-list=") != std::string::npos;
}

// The name of a flag or setting in the form "--name", whatever the number of dashes.
std::string NameIn(const std::string& argument) {
  const std::size_t begin = argument.find_first_not_of('-');
  if (begin == std::string::npos) return "";
  return "--" + argument.substr(begin, argument.find('=') - begin);
}

// A policy is either part of the argument or the next one.
bool AsksForBinding(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = NameIn(arguments[i]);
    if (std::find(kBindingWords.begin(), kBindingWords.end(), name) != kBindingWords.end()) return true;
    if (name != "--map-by" && name != "--rmaps_default_mapping_policy") continue;
    if (NamesCpus(arguments[i]) || (i + 1 < arguments.size() && NamesCpus(arguments[i + 1]))) return true;
  }
  return false;
}

}  // namespace

Binding BindingOf(const Lookup& environment, const std::optional<std::vector<std::string>>& launcher_arguments) {
  for (const char* name : kBindingVariables) {
    if (environment(name)) return Binding::kAskedFor;
  }
  for (const char* name : kMappingVariables) {
    if (const auto policy = environment(name); policy && NamesCpus(*policy)) return Binding::kAskedFor;
  }
  // Open MPI 4 sets this where it has bound the rank; without one of the settings above, it did so by its default.
  if (environment("OMPI_MCA_orte_bound_at_launch")) return Binding::kDefault;
  // Open MPI 5 sets this for every process that it starts, and no variable about bindings.
  if (!environment("PRTE_LAUNCHED")) return Binding::kNone;
  return !launcher_arguments || AsksForBinding(*launcher_arguments) ? Binding::kAskedFor : Binding::kDefault;
}

}  // namespace gan::open_mpi
