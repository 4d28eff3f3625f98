#include "trainer/run/agree.h"

#include <exception>
#include <string>

#include "cli/main.h"

namespace gan::run {

void OnAllRanks(distributed::Communicator& control, const std::function<void()>& work) {
  // Every exception is caught, because a rank that left early would not take part in the exchange.
  // Without this exchange, a rank that threw would leave the others waiting in the next collective until its time-out,
  // and their errors would hide the cause.
  std::exception_ptr error;
  int exit_code = cli::kDone;
  try {
    work();
  } catch (...) {
    error = std::current_exception();
    exit_code = cli::ExitCodeOf(error);
  }
  const std::vector<std::string> codes = control.AllGather(std::to_string(exit_code));
  // The lowest failing rank reports, so that the user sees one error and not one per rank.
  for (int rank = 0; rank < control.size(); ++rank) {
    const int code = std::stoi(codes[static_cast<std::size_t>(rank)]);
    if (code == cli::kDone) continue;
    if (rank == control.rank()) std::rethrow_exception(error);
    throw ReportedElsewhere{code};
  }
}

void OnRankZero(distributed::Communicator& control, const std::function<void()>& work) {
  OnAllRanks(control, [&] {
    if (control.rank() == 0) work();
  });
}

}  // namespace gan::run
