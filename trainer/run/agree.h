// Reports an error once for all ranks: when something fails on some ranks, every rank ends with the same exit code, and
// only one rank prints the error.
#pragma once

#include <functional>

#include "trainer/distributed/communicator.h"

namespace gan::run {

// Thrown on the ranks that must stay silent because another rank reports the error.
struct ReportedElsewhere {
  int exit_code = 1;
};

// Collective. Runs `work` on every rank. When it throws on some ranks, the lowest of them rethrows its exception and
// all other ranks throw ReportedElsewhere.
void OnAllRanks(distributed::Communicator& control, const std::function<void()>& work);

// Collective. The same, but only rank 0 runs `work`.
void OnRankZero(distributed::Communicator& control, const std::function<void()>& work);

}  // namespace gan::run
