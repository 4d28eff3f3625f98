// One error, one line: what fails on some rank ends every rank with the same exit code, and one rank speaks.
#pragma once

#include <functional>

#include "trainer/distributed/communicator.h"

namespace gan::run {

// Thrown on the ranks whose peer already reports the error.
struct ReportedElsewhere {
  int exit_code = 1;
};

// Collective. Runs `work` on every rank; when it throws on some, the lowest of them throws its own exception again and
// all others throw ReportedElsewhere.
void OnAllRanks(distributed::Communicator& control, const std::function<void()>& work);

// Collective. The same for work that rank 0 alone does.
void OnRankZero(distributed::Communicator& control, const std::function<void()>& work);

}  // namespace gan::run
