// Finds out whether the user asked the launcher to bind ranks to CPUs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gan::open_mpi {

// The origin of the set of CPUs on which a rank may run.
enum class Binding {
  kNone,      // none: the limits of the shell, the container or the batch system apply
  kDefault,   // the launcher's default
  kAskedFor,  // the user, by an option of the launcher
};

// Returns the value of an environment variable, or nothing.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

// The origin of a rank's binding. The environment that Open MPI 4 sets shows whether ranks are bound and which settings
// the user made. Open MPI 5 sets neither, so its command line decides: `launcher_arguments`, empty when the rank cannot
// read them; the binding then counts as requested by the user.
Binding BindingOf(const Lookup& environment, const std::optional<std::vector<std::string>>& launcher_arguments);

}  // namespace gan::open_mpi
