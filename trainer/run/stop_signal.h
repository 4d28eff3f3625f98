#pragma once

namespace gan::run {

// From now on SIGUSR1, SIGINT, SIGTERM and SIGHUP (closed terminal) request save-and-stop at the next step boundary; a
// second SIGINT ends the process at once. (mpirun forwards SIGUSR1 unchanged, but after a SIGTERM it kills the ranks
// within a second.) A SIGHUP that was ignored at the start, as under nohup, stays ignored. SIGPIPE is ignored, so that
// the run continues when a reader of its log exits.
void InstallStopSignals();
bool StopRequested();

}  // namespace gan::run
