#pragma once

namespace gan::run {

// From now on SIGUSR1, SIGINT and SIGTERM ask for save-and-stop at the next step boundary; a second SIGINT ends the
// process at once. (mpirun forwards SIGUSR1 as it is, but kills ranks a second after it gets SIGTERM.)
void InstallStopSignals();
bool StopRequested();

}  // namespace gan::run
