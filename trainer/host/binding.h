// Finds out whether the user asked the launcher to bind ranks to CPUs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trainer/host/cpu_share.h"

namespace gan::host {

// Returns the value of an environment variable, or nothing.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

// Who bound the rank with this environment. The environment that Open MPI 4 sets says whether ranks are bound and which
// settings the user made. Open MPI 5 sets neither, so its command line decides: `launcher_arguments`, empty when the
// rank cannot read them; the binding then counts as requested by the user.
Binding BindingOf(const Lookup& environment, const std::optional<std::vector<std::string>>& launcher_arguments);

}  // namespace gan::host
