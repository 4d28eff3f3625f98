// Whether somebody asked the launcher to bind ranks to CPUs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trainer/host/cpu_share.h"

namespace gan::host {

// The value of an environment variable, or nothing.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

// Who bound a rank that `environment` describes. Open MPI 4 tells its ranks that it bound them and which of its
// settings the user made; Open MPI 5 tells nothing, so that its command line decides, where the rank can see it
// (`launcher_arguments`: nothing where it cannot; the binding then counts as asked for).
Binding BindingOf(const Lookup& environment, const std::optional<std::vector<std::string>>& launcher_arguments);

}  // namespace gan::host
