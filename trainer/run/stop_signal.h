#pragma once

namespace gan::run {

// From now on SIGUSR1, SIGINT, SIGTERM and SIGHUP (the terminal was closed) ask for save-and-stop at the next step
// boundary; a second SIGINT ends the process at once. (mpirun forwards SIGUSR1 as it is, but kills ranks a second after
// it gets SIGTERM.) A SIGHUP that was ignored at the start, as under nohup, stays ignored. SIGPIPE is ignored: who
// reads the log may leave, and the run goes on.
void InstallStopSignals();
bool StopRequested();

}  // namespace gan::run
