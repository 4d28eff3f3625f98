#include "open_mpi/binding.h"

#include <gtest/gtest.h>

#include <map>

namespace gan::open_mpi {
namespace {

using Environment = std::map<std::string, std::string>;
using Arguments = std::optional<std::vector<std::string>>;

Binding Of(const Environment& environment, const Arguments& arguments = std::nullopt) {
  return BindingOf(
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
      },
      arguments);
}

// As seen under mpirun of Open MPI 4.1.4.
Environment OpenMpi4(const Environment& more) {
  Environment environment = {{"OMPI_MCA_orte_bound_at_launch", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}};
  environment.insert(more.begin(), more.end());
  return environment;
}

TEST(Binding, OfOpenMpi4IsItsDefaultUnlessASettingOfTheUsersBinds) {
  EXPECT_EQ(Of(OpenMpi4({})), Binding::kDefault);
  EXPECT_EQ(Of(OpenMpi4({{"OMPI_MCA_rmaps_base_mapping_policy", "core"}})), Binding::kDefault);
  EXPECT_EQ(Of(OpenMpi4({{"OMPI_MCA_hwloc_base_use_hwthreads_as_cpus", "1"}})), Binding::kDefault);
  EXPECT_EQ(Of(OpenMpi4({{"OMPI_MCA_rmaps_base_mapping_policy", "slot:PE=4"}})), Binding::kAskedFor);
  for (const char* name :
       {"OMPI_MCA_hwloc_base_binding_policy", "OMPI_MCA_hwloc_base_cpu_set", "OMPI_MCA_hwloc_base_cpu_list",
        "OMPI_MCA_rmaps_base_cpus_per_rank", "OMPI_MCA_orte_rankfile"}) {
    EXPECT_EQ(Of(OpenMpi4({{name, "1"}})), Binding::kAskedFor) << name;
  }
}

TEST(Binding, IsNobodysWhereNoLauncherBound) {
  EXPECT_EQ(Of({}), Binding::kNone);
  EXPECT_EQ(Of({{"OMPI_COMM_WORLD_SIZE", "3"}}), Binding::kNone);  // Open MPI 4 binds nobody when it oversubscribes
  EXPECT_EQ(Of({{"SLURM_PROCID", "0"}, {"PMIX_RANK", "0"}}), Binding::kNone);
}

TEST(Binding, OfOpenMpi5IsReadFromItsCommandLine) {
  const Environment environment = {{"PRTE_LAUNCHED", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}};
  const auto under = [&](const std::vector<std::string>& arguments) { return Of(environment, arguments); };
  EXPECT_EQ(under({"prterun", "-np", "2", "gan-train", "--run", "r"}), Binding::kDefault);
  EXPECT_EQ(under({"prterun", "--map-by", "package", "gan-train"}), Binding::kDefault);
  EXPECT_EQ(under({"prterun", "--bind-to", "core", "-np", "2", "gan-train"}), Binding::kAskedFor);
  EXPECT_EQ(under({"prterun", "-bind-to", "none", "gan-train"}), Binding::kAskedFor);
  EXPECT_EQ(under({"prterun", "--map-by", "slot:PE=2", "gan-train"}), Binding::kAskedFor);
  EXPECT_EQ(under({"prterun", "--prtemca", "hwloc_default_binding_policy", "core", "gan-train"}), Binding::kAskedFor);
  // A rank on another host cannot read mpirun's command line, so the binding stays.
  EXPECT_EQ(Of(environment), Binding::kAskedFor);
}

}  // namespace
}  // namespace gan::open_mpi
